# Which packages the repository's own scripts need, by Debian's names, and whether each is there.
# A package counts as present if what it provides works, wherever that came from. Source after common.sh.
# shellcheck shell=bash

# GROUP package probe: `cmd:NAME` is a command on PATH, `hdr:FILE` a header that the C++ compiler finds,
# `file:` a path, `ensurepip` means that every python3 on PATH can make a virtual environment.
package_table='
build build-essential    cmd:c++
build cmake              cmd:cmake
build ninja-build        cmd:ninja
build pkg-config         cmd:pkg-config
build libelf-dev         hdr:libelf.h
build libdw-dev          hdr:elfutils/libdw.h
build libunwind-dev      hdr:libunwind.h
build liblzma-dev        hdr:lzma.h
build libcli11-dev       hdr:CLI/CLI.hpp
build libfmt-dev         hdr:fmt/format.h
build libexpected-dev    hdr:tl/expected.hpp
build nlohmann-json3-dev hdr:nlohmann/json.hpp
build libzstd-dev        hdr:zstd.h
build libxxhash-dev      hdr:xxhash.h
build zlib1g-dev         hdr:zlib.h
build libpfm4-dev        hdr:perfmon/pfmlib_perf_event.h
build clang              cmd:clang
build libbpf-dev         hdr:bpf/libbpf.h
build catch2             hdr:catch2/catch.hpp|catch2/catch_all.hpp
test  python3            cmd:python3
test  python3-venv       ensurepip
test  ca-certificates    file:/etc/ssl/certs/ca-certificates.crt
free-threaded zlib1g-dev     hdr:zlib.h
free-threaded libssl-dev     hdr:openssl/ssl.h
free-threaded libffi-dev     hdr:ffi.h
free-threaded libsqlite3-dev hdr:sqlite3.h
lint  python3            cmd:python3
lint  clang-format       cmd:clang-format
lint  clang-tidy         cmd:clang-tidy
'

has_header() { # FILE[|FILE]
  local condition=0 file
  for file in ${1//|/ }; do condition+=" || __has_include(<$file>)"; done
  printf '#if !(%s)\n#error missing\n#endif\n' "$condition" | c++ -std=c++20 -x c++ -E - >/dev/null 2>&1
}

every_python_makes_venvs() {
  local python found=1
  while read -r python; do
    "$python" --version >/dev/null 2>&1 || continue # a shim without a version behind it
    "$python" -c 'import ensurepip, venv' 2>/dev/null || return 1
    found=0
  done < <(type -aP python3)
  return "$found"
}

is_present() { # PROBE
  case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null ;;
    file:*) [[ -f ${1#file:} ]] ;;
    hdr:*) has_header "${1#hdr:}" ;;
    ensurepip) every_python_makes_venvs ;;
  esac
}

# missing_packages GROUP…: the names of what is not there, one a line.
missing_packages() {
  local wanted=" $* " group package probe
  while read -r group package probe; do
    [[ -n $group && $wanted == *" $group "* ]] || continue
    is_present "$probe" || printf '%s\n' "$package"
  done <<<"$package_table" | sort -u
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

# install_packages NAME…: from the lists as they are, or from fresh ones where those are absent or stale.
install_packages() {
  command -v apt-get >/dev/null ||
    fail "there is no apt-get here to install $*" "install what these Debian packages hold, and run this again"
  if apt-cache show "$@" >/dev/null 2>&1 && apt_install "$@"; then return 0; fi
  as_root apt-get update && apt_install "$@"
}
