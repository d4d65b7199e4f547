# Sourced by every script: where the repository is, how to speak, how to become root.
# shellcheck shell=bash
repo_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
cache_dir="${AWAITSCOPE_CACHE:-$HOME/.cache/awaitscope}"
script_name="$(basename "$0")"

# Everything for people goes to stderr; stdout belongs to a script's result.
say() { printf '%s: %s\n' "$script_name" "$*" >&2; }

# fail CAUSE [REMEDY]: one line of each, exit 1.
fail() {
  printf '%s: error: %s\n' "$script_name" "$1" >&2
  if [[ $# -gt 1 ]]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

# usage_error MESSAGE: exit 2.
usage_error() {
  printf '%s: error: %s\nhint: %s --help\n' "$script_name" "$1" "$0" >&2
  exit 2
}

# print_usage: the comment at the top of the calling script, which is its manual.
print_usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

# as_root CMD…: run as root, through sudo where that is needed and there.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    fail "this needs root: $*" "run it as root, or install sudo"
  fi
}
