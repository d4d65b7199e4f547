# The BPF programs of src/capture/bpf: compiled by clang, carried by the executable as bytes, loaded by libbpf, which is linked into
# it. Where one of these is missing, the executable is made without them.
find_program(BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
find_library(BPF_LIBRARY libbpf.a)
find_path(BPF_INCLUDE bpf/libbpf.h)
pkg_check_modules(BPF_NEEDS IMPORTED_TARGET libelf zlib)

function(awaitscope_capture_programs target)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/capture)
  if(NOT BPF_CLANG OR NOT BPF_LIBRARY OR NOT BPF_INCLUDE OR NOT BPF_NEEDS_FOUND)
    message(STATUS "Without BPF programs (--engine bpf): they need clang, libbpf-dev, libelf-dev and zlib1g-dev")
    return()
  endif()
  set(objects)
  foreach(name switch_capture register_capture)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -ffreestanding -Wall -Wextra -Wno-unused-parameter -Werror
        -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -I${BPF_INCLUDE} -idirafter /usr/include
        -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${folder}/bpf/${name}.bpf.c -o ${object}
      DEPENDS ${folder}/bpf/${name}.bpf.c ${folder}/bpf/${name}.h
      COMMENT "Compiling ${name}.bpf.c" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/bpf/*.cpp)
  set_source_files_properties(${folder}/bpf/object_bytes.cpp PROPERTIES
    OBJECT_DEPENDS "${objects}" COMPILE_DEFINITIONS AWAITSCOPE_BPF_OBJECTS="${CMAKE_CURRENT_BINARY_DIR}")
  get_target_property(all_sources ${target} SOURCES)
  list(REMOVE_ITEM all_sources ${folder}/no_programs.cpp)
  set_target_properties(${target} PROPERTIES SOURCES "${all_sources};${sources}")
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_include_directories(${target} SYSTEM PRIVATE ${BPF_INCLUDE})
  target_link_libraries(${target} PRIVATE ${BPF_LIBRARY} PkgConfig::BPF_NEEDS)
endfunction()
