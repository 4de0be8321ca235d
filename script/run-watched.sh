# Sourced by run-server and run-agent, after env.sh: becomes `crystal-forge COMMAND`, with --dev one that is started again
# whenever a source file changes.
run_watched() {
  local command=$1
  shift
  local watch=()
  if [ "${1:-}" = --dev ]; then
    watch=(--watch)
    shift
  fi
  [ "$command" = server ] && "$root/script/build-web"
  exec node "${watch[@]}" "$root/src/cli/main.ts" "$command" "$@"
}
