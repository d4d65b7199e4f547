add_library(awaitscope_options INTERFACE)
target_compile_options(awaitscope_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror)
target_include_directories(awaitscope_options INTERFACE ${PROJECT_SOURCE_DIR}/include)
# Not fmt::fmt-header-only: that compiles all of fmt again in each file that formats something, four seconds each.
target_link_libraries(awaitscope_options INTERFACE fmt::fmt tl::expected)
if(AWAITSCOPE_SANITIZE)
  # The checks that are left out double the time to compile. Of what they find AddressSanitizer finds most, too.
  target_compile_options(awaitscope_options INTERFACE -fsanitize=address,undefined
    -fno-sanitize=null,alignment,vptr,object-size,pointer-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Wno-maybe-uninitialized) # gcc 12 finds some in its own <regex> under -fsanitize
  target_link_options(awaitscope_options INTERFACE -fsanitize=address,undefined)
endif()

# With CMAKE_UNITY_BUILD (release, sanitize) gcc gets eight sources of a target at a time, as one: that halves the time, for most of
# what it does is to instantiate the same templates for each. So names in anonymous namespaces are unique within a folder. `lint` and
# `debug` go without.
if(CMAKE_UNITY_BUILD)
  # gcc gives this warning of included files only, and each source is one then.
  target_compile_options(awaitscope_options INTERFACE -Wno-subobject-linkage)
endif()

# What most files include is compiled once: a third of what compiling takes. A file includes what it uses all the same;
# the preset `lint` does without.
set(awaitscope_common <algorithm> <array> <charconv> <cstdint> <cstring> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <unordered_map> <unordered_set> <utility> <vector> <fmt/format.h> <tl/expected.hpp>)
add_library(awaitscope_precompiled OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cpp)
target_link_libraries(awaitscope_precompiled PRIVATE awaitscope_options)
target_precompile_headers(awaitscope_precompiled PRIVATE ${awaitscope_common})

# awaitscope_stage(NAME USES stage... LINKS library...): one static library per folder of src/.
# What a stage may use is what it links, which keeps the flow one-way. PRECOMPILED: headers beside the common ones.
function(awaitscope_stage name)
  cmake_parse_arguments(STAGE "" "" "USES;LINKS;PRECOMPILED" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(awaitscope_${name} STATIC ${sources})
  list(TRANSFORM STAGE_USES PREPEND awaitscope_)
  target_link_libraries(awaitscope_${name} PUBLIC awaitscope_options ${STAGE_USES} PRIVATE ${STAGE_LINKS})
  if(STAGE_PRECOMPILED)
    target_precompile_headers(awaitscope_${name} PRIVATE ${awaitscope_common} ${STAGE_PRECOMPILED})
  else()
    target_precompile_headers(awaitscope_${name} REUSE_FROM awaitscope_precompiled)
  endif()
endfunction()
