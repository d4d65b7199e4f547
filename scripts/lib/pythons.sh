# Which interpreter to serve the demo with. Source after common.sh.
# shellcheck shell=bash
supported_minors=(3.13 3.12 3.11 3.14 3.10 3.15 3.9 3.8) # the first that is there is taken

# is_supported PYTHON: a released CPython of a supported minor that runs and can make virtual environments.
is_supported() {
  "$1" -I -c '
import ensurepip, sys, venv
ok = sys.implementation.name == "cpython" and "%d.%d" % sys.version_info[:2] in sys.argv[1:]
sys.exit(0 if ok else 1)' "${supported_minors[@]}" 2>/dev/null
}

# find_python: prints `python3` of PATH if it is supported, else the newest supported one; status 1 if there is none.
find_python() {
  local minor candidate
  if is_supported python3; then
    type -P python3
    return 0
  fi
  for minor in "${supported_minors[@]}"; do
    while read -r candidate; do
      if is_supported "$candidate"; then
        printf '%s\n' "$candidate"
        return 0
      fi
    done < <(type -aP "python$minor"; ls -1d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$minor".*/bin/python3 2>/dev/null)
  done
  return 1
}
