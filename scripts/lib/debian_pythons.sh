# Interpreters of later Debian releases, unpacked beside the system: what scripts/pythons does. Source after common.sh
# and bookworm.sh.
#
# apt itself resolves, fetches and verifies, with lists and a package database of its own that know nothing of this
# machine's packages; dpkg-deb unpacks. No package's scripts are run: an interpreter and its libraries need none.
# shellcheck shell=bash
pythons_dir=$cache_dir/pythons
archive_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_mirror: where this machine's apt gets its own release from; status 1 if that is no Debian.
debian_mirror() {
  local codename
  codename=$(. /etc/os-release && [[ $ID == debian ]] && printf '%s' "${VERSION_CODENAME:-}") || return 1
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(RELEASE)' 'Created-By: Packages' |
    awk -v name="$codename" '!found && ($2 == name || $3 == name) { print $1; found = 1 } END { exit !found }'
}

# prepare_apt DIR KIND SUITE MIRROR: lets APT_CONFIG=DIR/apt.conf see that suite and nothing else; fetches its lists.
# KIND is deb or deb-src.
prepare_apt() {
  local dir=$1
  rm -rf "$dir"
  mkdir -p "$dir"/{lists/partial,cache/archives/partial}
  : >"$dir/status"
  printf '%s [signed-by=%s] %s %s main\n' "$2" "$archive_keyring" "$4" "$3" >"$dir/sources.list"
  {
    apt_network_settings
    # Named in APT_CONFIG, this is read first, so that it can leave out the machine's own files and their hooks.
    printf '%s "/dev/null";\n' Dir::Etc::{Main,Parts,SourceParts,Preferences,PreferencesParts}
    printf '%s "%s";\n' Dir::Etc::SourceList "$dir/sources.list" Dir::State "$dir" Dir::State::Lists "$dir/lists" \
      Dir::State::Status "$dir/status" Dir::Cache "$dir/cache"
    printf '%s\n' 'APT::Install-Recommends "false";' 'APT::Sandbox::User "";' 'Acquire::Languages "none";' \
      'Acquire::GzipIndexes "true";' 'Acquire::http::Timeout "20";' 'Acquire::https::Timeout "20";'
  } >"$dir/apt.conf"
  own_apt "$dir" -qq -o APT::Update::Error-Mode=any update
}

# own_apt DIR ARG…: apt-get as prepared; what it says is in DIR/log.
own_apt() {
  APT_CONFIG=$1/apt.conf timeout 600 apt-get "${@:2}" >"$1/log" 2>&1
}

# apt_reason DIR: why the last call failed, in one line.
apt_reason() {
  { grep -m1 -E '^(E|W): ' "$1/log" || printf 'apt-get did not end in time\n'; } | cut -c1-200
}

# fetch_packages DIR MINOR VARIANT: the packages of that interpreter and all that they need into DIR/cache/archives.
fetch_packages() {
  local packages=("python$2" "python$2-venv" "libpython$2-dev")
  if [[ $3 == debug ]]; then packages+=("python$2-dbg"); fi
  own_apt "$1" -qq --yes --download-only install "${packages[@]}"
}

# unpack_root ARCHIVES ROOT: /usr of those packages, and the links that a merged /usr needs.
unpack_root() {
  local package name
  mkdir -p "$2"/usr/{bin,sbin,lib,lib64}
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$2/$name"; done
  for package in "$1"/*.deb; do
    # Not dpkg-deb --extract: its tar replaces a link by the folder of a package that still has /lib.
    dpkg-deb --fsys-tarfile "$package" | tar -C "$2" --extract --keep-directory-symlink --no-same-owner \
      --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' || return 1
  done
  rm -rf "$2/etc" "$2/var" # of these, enter_root shows this machine's
}

# install_file SOURCE TARGET: an executable, whole or not at all; untouched if it is the same already.
install_file() {
  cmp -s "$1" "$2" && return 0
  install -m 755 "$1" "$2.new"
  mv "$2.new" "$2"
}

# write_wrapper NAME ROOT PROGRAM: makes pythons/bin/NAME, by which that program of the root is run.
write_wrapper() {
  local text
  text=$(mktemp)
  printf '#!/bin/sh\nexec "%s" "%s" "%s" "$@"\n' "$pythons_dir/enter_root" "$2" "$3" >"$text"
  install_file "$text" "$pythons_dir/bin/$1"
  rm -f "$text"
}

# root_of MINOR VARIANT, wrapper_of MINOR VARIANT: where they are, or will be. A debug root has both builds in it.
root_of() { printf '%s/roots/%s%s\n' "$pythons_dir" "$1" "$([[ $2 == debug ]] && echo -debug)"; }
wrapper_of() { printf '%s/bin/python%s%s\n' "$pythons_dir" "$1" "$([[ $2 == debug ]] && echo -dbg)"; }

# make_root APT MINOR VARIANT: status 1 if the packages cannot be had. Appears whole, by a rename.
make_root() {
  local root partial
  root=$(root_of "$2" "$3")
  fetch_packages "$1" "$2" "$3" || return 1
  partial=$(mktemp -d "$pythons_dir/roots/.partial.XXXXXX")
  chmod 755 "$partial"
  unpack_root "$1/cache/archives" "$partial" || return 1
  rm -rf "$1"/cache/archives/*.deb
  mv -T "$partial" "$root"
}
