add_library(awaitscope_options INTERFACE)
target_compile_options(awaitscope_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Werror)
target_include_directories(awaitscope_options INTERFACE ${PROJECT_SOURCE_DIR}/include)
# Not fmt::fmt-header-only: that compiles all of fmt again in each file that formats something, four seconds each.
target_link_libraries(awaitscope_options INTERFACE fmt::fmt tl::expected)
if(AWAITSCOPE_SANITIZE)
  target_compile_options(awaitscope_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Wno-maybe-uninitialized) # gcc 12 finds some in its own <regex> under -fsanitize
  target_link_options(awaitscope_options INTERFACE -fsanitize=address,undefined)
endif()

# awaitscope_stage(NAME USES stage... LINKS library...): one static library per folder of src/.
# What a stage may use is what it links, which keeps the flow one-way.
function(awaitscope_stage name)
  cmake_parse_arguments(STAGE "" "" "USES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(awaitscope_${name} STATIC ${sources})
  list(TRANSFORM STAGE_USES PREPEND awaitscope_)
  target_link_libraries(awaitscope_${name} PUBLIC awaitscope_options ${STAGE_USES} PRIVATE ${STAGE_LINKS})
endfunction()
