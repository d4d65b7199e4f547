# Every dependency is a package of the distribution; nothing is downloaded by the build.
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
# Has neither a pkg-config file nor one for CMake.
find_library(PFM_LIBRARY pfm REQUIRED)
find_path(PFM_INCLUDE perfmon/pfmlib_perf_event.h REQUIRED)
find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
