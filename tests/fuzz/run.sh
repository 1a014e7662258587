#!/usr/bin/env bash
# run.sh [SECONDS] [TARGET…]: searches with libFuzzer, each target for so many seconds (60 unless told
# otherwise), one after the other. What it finds worth keeping on the way goes to build-fuzz/new, and
# the next search goes on from there. A finding goes to build-fuzz/findings and ends with exit code 1.
# The last line counts the executions.
set -euo pipefail
cd "$(dirname "$0")/../.."

build="build-fuzz"
seconds=${1:-60}
shift || true
case $seconds in
*[!0-9]* | '' | 0)
    echo "usage: run.sh [SECONDS] [TARGET…]" >&2
    exit 2
    ;;
esac
if [ $# -eq 0 ]; then
    mapfile -t targets < <(find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)
else
    targets=("$@")
fi

prepare() {
    [ -f $build/build.ninja ] ||
        CC=clang meson setup $build -Dfuzzers=true -Db_sanitize=address,undefined \
            -Db_lundef=false --buildtype=debugoptimized >&2 || return 1
    ninja -C $build >&2
}

# search TARGET: prints how often the target was run; returns 1 if something was found. What takes long
# to run, as long lists do, is tried less often.
search() {
    local log=$build/fuzz-$1.log new=$build/new/$1 status=0
    mkdir -p "$new" $build/findings
    nice $build/tests/fuzz/"fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -entropic_scale_per_exec_time=1 -print_final_stats=1 -artifact_prefix="$build/findings/$1-" \
        "$new" "tests/fuzz/corpus/$1" >"$log" 2>&1 || status=1
    sed -n 's/^stat::number_of_executed_units: *//p' "$log"
    [ $status -eq 0 ] || tail -n 40 "$log" >&2
    return $status
}

export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
prepare
total=0
found=0
for target in "${targets[@]}"; do
    runs=$(search "$target") || found=$((found + 1))
    printf '%-8s %12s executions\n' "$target" "${runs:-0}"
    total=$((total + ${runs:-0}))
done
printf '%d executions, %d targets with a finding\n' "$total" "$found"
[ "$found" -eq 0 ]
