# Named steps with durations and one summary at the end: what passed, what failed, what was not run and why.
# A failed step does not end the run. Source after common.sh.
# shellcheck shell=bash
step_passed=0
step_failed=0
step_skipped=0
step_lines=()

step_note() { # STATUS NAME DETAIL
  step_lines+=("$(printf '%-8s %-28s %s' "$1" "$2" "$3")")
}

# run_step NAME CMD…: status 0 if CMD passed.
run_step() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '\n==> %s\n' "$name"
  "$@" || status=$?
  local took="$((SECONDS - began)) s"
  if [[ $status -eq 0 ]]; then
    step_passed=$((step_passed + 1))
    step_note passed "$name" "$took"
  else
    step_failed=$((step_failed + 1))
    step_note FAILED "$name" "$took (exit status $status)"
  fi
  printf '<== %s: %s in %s\n' "$name" "$([[ $status -eq 0 ]] && echo passed || echo "FAILED ($status)")" "$took"
  return "$status"
}

# skip_step NAME REASON
skip_step() {
  step_skipped=$((step_skipped + 1))
  step_note 'not run' "$1" "$2"
}

# finish_steps: print the summary, with a line that other programs can count by as its last; status 1 if any step failed,
# or if none passed.
finish_steps() {
  printf '\n'
  printf '%s\n' "${step_lines[@]}"
  printf '\n%s: %d steps in %d s\n' "$script_name" "${#step_lines[@]}" "$SECONDS"
  printf '%d passed, %d failed, %d skipped\n' "$step_passed" "$step_failed" "$step_skipped"
  [[ $step_failed -eq 0 && $step_passed -gt 0 ]]
}
