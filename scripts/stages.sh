# Sourced by check and test: runs named stages, prints the time of each, stops at the first that fails.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
bin=.venv/bin
started=$SECONDS
summary=""

stage() {
  local name=$1 begin=$SECONDS code=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || code=$?
  summary+=$(printf '%-22s %4d s' "$name" $((SECONDS - begin)))$'\n'
  if [ "$code" != 0 ]; then
    printf '\n%s\n%s failed (exit %d): %s\n' "$summary" "$name" "$code" "$*" >&2
    exit "$code"
  fi
}

report() {
  printf '\n%s%-22s %4d s\n' "$summary" "total" $((SECONDS - started))
}
