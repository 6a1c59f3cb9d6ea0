# Sourced by the scripts beside it: where things are, and how a build directory comes to be. Speaks on stderr only.
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

# How the three builds are configured, so that every script means the same. The planted one is the second build of the
# core: its tests are those that see a planted bug caught. Where nobody waits for one changed file, a room's sources are
# compiled together, which costs less than half.
together=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=16)
release=(--preset release -DRINGSIDE_TESTS=ON)
planted=(--preset planted -DRINGSIDE_TESTS=ON -DRINGSIDE_TEST_PREFIX=planted/)
dev=(--preset dev -DRINGSIDE_TESTS=ON -DRINGSIDE_TEST_PREFIX=asan/ "${together[@]}")

say() { printf '%s\n' "$*" >&2; }

# The comment that opens a script is its help.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# build DIRECTORY CMAKE_ARGUMENTS -- TARGETS: configures build/DIRECTORY when it is new or its arguments changed, then
# builds. One builder at a time; silent when nothing is to be done, ninja's own progress line when somebody watches.
build() {
  local directory=$root/build/$1 arguments=() log lock
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do arguments+=("$1"); shift; done
  [ $# -gt 1 ] || { say "build: no targets (build DIRECTORY ARGUMENTS -- TARGETS)"; exit 2; }
  shift
  mkdir -p "$directory"
  log=$directory/build.log
  exec {lock}>"$directory/lock"
  flock "$lock"
  if [ ! -e "$directory/build.ninja" ] || [ "${arguments[*]}" != "$(cat "$directory/arguments" 2>/dev/null)" ]; then
    if ! (cd "$root" && cmake -B "$directory" "${arguments[@]}" >"$log" 2>&1); then
      tail -n 30 "$log" >&2
      say "configuring ${directory#"$root"/} failed; all of it is in $log"
      exit 2
    fi
    printf '%s' "${arguments[*]}" >"$directory/arguments"
  fi
  if ! ninja -C "$directory" -n "$@" 2>/dev/null | grep -q '^ninja: no work to do'; then
    say "building ${directory#"$root"/} ($(nproc) jobs; from nothing this takes minutes)"
    local failed=0
    if [ -t 2 ]; then
      ninja -C "$directory" "$@" >&2 || failed=1
    else
      ninja -C "$directory" "$@" >"$log" 2>&1 || failed=1
      [ $failed = 0 ] || grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 80 >&2
    fi
    [ $failed = 0 ] || { say "building ${directory#"$root"/} failed"; exit 2; }
  fi
  exec {lock}>&-
}

# build_cli PRESET: the `ringside` program alone, in whatever configuration is there; the first one leaves the tests out,
# so that a machine with the core packages can run.
build_cli() {
  local preset=$1 arguments=(--preset "$1" -DRINGSIDE_TESTS=OFF)
  if [ -e "$root/build/$preset/arguments" ]; then
    read -r -a arguments <"$root/build/$preset/arguments" || true
  fi
  build "$preset" "${arguments[@]}" -- ringside
}
