# Free-threaded interpreters, which no Debian has: built from Debian's source packages. What scripts/pythons
# --free-threaded does. Source after common.sh, bookworm.sh and debian_pythons.sh.
# shellcheck shell=bash

# prefix_of MINOR: where it is installed; the interpreter itself is bin/pythonMINORt in there.
prefix_of() { printf '%s/free-threaded/%s\n' "$pythons_dir" "$1"; }

# fetch_source APT MINOR DIR: the source of that minor, as its authors released it, unpacked into DIR.
fetch_source() {
  mkdir -p "$3/packages" "$3/source"
  # apt checks what it fetches against the signed lists. It fetches into the folder where it is.
  (cd "$3/packages" && own_apt "$1" -qq --download-only --tar-only source "python$2") || return 1
  tar -C "$3/source" --strip-components=1 --extract --file "$(echo "$3"/packages/python*.orig.tar.*z)"
}

# build_source SOURCE PREFIX DESTDIR: installs into DESTDIR what belongs into PREFIX. Optimised, with no profile of its
# own to be led by: that takes a multiple of the time and changes no layout.
build_source() {
  cd "$1" &&
    nice ./configure --disable-gil --prefix="$2" --without-ensurepip --disable-test-modules &&
    nice make -j "$(nproc)" &&
    nice make install DESTDIR="$3"
}

# make_free_threaded APT MINOR: its prefix appears whole, by a rename. Status 1, and `reason` in one line, if it cannot
# be had from `suite`.
make_free_threaded() {
  local work prefix log
  prefix=$(prefix_of "$2")
  work=$(mktemp -d "$pythons_dir/free-threaded/.work.XXXXXX")
  log=$pythons_dir/free-threaded/$2.log
  if ! fetch_source "$1" "$2" "$work"; then
    rm -rf "$work"
    reason="$suite: $(apt_reason "$1")"
    return 1
  fi
  say "building a free-threaded Python $2: some minutes, log in $log"
  if ! (build_source "$work/source" "$prefix" "$work/installed") >"$log" 2>&1 8>&-; then
    reason="it could not be built: see $log"
    return 1
  fi
  mv -T "$work/installed$prefix" "$prefix"
  rm -rf "$work"
}

# build_free_threaded MINOR…: builds those that are missing and says what is there.
build_free_threaded() {
  local apt=$pythons_dir/free-threaded/.apt minor mirror reason suite venv
  mkdir -p "$pythons_dir"/{bin,free-threaded}
  exec 8>"$pythons_dir/free-threaded/lock"
  flock 8
  rm -rf "$pythons_dir"/free-threaded/.work.* # of a run that was interrupted
  trap 'rm -rf "$pythons_dir"/free-threaded/.work.* "$pythons_dir/free-threaded/.apt"' EXIT
  for minor in "$@"; do
    reason='this machine has no apt source of its own Debian release'
    if [[ ! -d $(prefix_of "$minor") ]] && mirror=$(debian_mirror); then
      "$repo_root/scripts/packages" build free-threaded 8>&-
      for suite in "${suites[@]}"; do
        if [[ ! -f $apt/sources.list ]] || ! grep -q " $suite " "$apt/sources.list"; then
          prepare_apt "$apt" deb-src "$suite" "$mirror" || { reason="$suite: $(apt_reason "$apt")"; continue; }
        fi
        if make_free_threaded "$apt" "$minor"; then break; fi
      done
    fi
    if [[ ! -d $(prefix_of "$minor") ]]; then
      say "Python ${minor}t cannot be had: $reason"
      continue
    fi
    ln -sfn "$(prefix_of "$minor")/bin/python${minor}t" "$pythons_dir/bin/python${minor}t"
    venv=$("$repo_root/scripts/venv" "$pythons_dir/bin/python${minor}t" 8>&-) || venv='could not be made'
    say "Python ${minor}t: $pythons_dir/bin/python${minor}t, headers in $(prefix_of "$minor")/include, environment $venv"
  done
}
