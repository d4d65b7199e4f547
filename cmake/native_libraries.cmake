# What native frames are read with. liblzma is linked into the executable where there is an archive; that of libunwind is no
# position-independent code in Debian, so that the executable needs the shared library.
find_library(UNWIND_LIBRARY NAMES unwind-x86_64 REQUIRED)
find_path(UNWIND_INCLUDE libunwind.h REQUIRED)
find_library(LZMA_LIBRARY NAMES liblzma.a lzma REQUIRED)
find_path(LZMA_INCLUDE lzma.h REQUIRED)
pkg_check_modules(ELF REQUIRED IMPORTED_TARGET libelf)
find_path(DWARF_INCLUDE dwarf.h REQUIRED) # of libdw: the names of DWARF's numbers

add_library(awaitscope_native_libraries INTERFACE)
target_include_directories(awaitscope_native_libraries SYSTEM INTERFACE ${UNWIND_INCLUDE} ${LZMA_INCLUDE} ${DWARF_INCLUDE})
# libsupc++ behind libstdc++: of it only what the shared library does not export (src/native/demangle.cpp).
target_link_libraries(awaitscope_native_libraries INTERFACE
  ${UNWIND_LIBRARY} PkgConfig::ELF ${LZMA_LIBRARY} Threads::Threads stdc++ supc++)
