# Sourced in the top directory by run.sh, check.sh and .ci/run: the steps that they are made of. Each counts
# what passed and failed; finish prints the counts.
# shellcheck shell=bash

# shellcheck source=contrib/packages.sh
. contrib/packages.sh

logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
passed=0
failed=0
skipped=0
# Most tests wait for other programs most of the time.
processes=$((3 * $(nproc)))

# Names a step, and the seconds since the first.
say() {
    printf '== %s [%d s]\n' "$*" "$SECONDS"
}

# run NAME COMMAND…: runs it with its output in a log.
run() {
    local name=$1
    shift
    "$@" >"$logs/$name" 2>&1 </dev/null
}

show_log() {
    tail -n 200 "$logs/$1" | sed 's/^/    /'
}

# check NAME COMMAND…: a command that counts as one test.
check() {
    say "$1"
    if run "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        show_log "$1"
    fi
}

# configure DIRECTORY OPTION…: makes a build directory, or brings one that is there up to date.
configure() {
    if [ -f "$1/build.ninja" ]; then
        meson setup --reconfigure "$@" || meson setup --wipe "$@"
    else
        meson setup "$@"
    fi
}

# build DIRECTORY OPTION…: configures and compiles all, or only $target. A build that fails counts as a
# failed test.
build() {
    say "$1: build"
    if run "$1-setup" configure "$@" && run "$1-ninja" ninja -C "$1" ${target:+"$target"}; then
        return 0
    fi
    failed=$((failed + 1))
    cat "$logs/$1-setup" "$logs/$1-ninja" 2>/dev/null | tail -n 100 | sed 's/^/    /'
    return 1
}

# test_as_root DIRECTORY OPTION…: `meson test`. Some tests have a network of their own, or run the service as
# another user.
test_as_root() {
    local directory=$1 code=0
    shift
    as_root meson test -C "$directory" --no-rebuild "$@" || code=$?
    [ "$(id -u)" -eq 0 ] || as_root chown -R "$(id -u):$(id -g)" "$directory"
    return "$code"
}

# suites DIRECTORY LOG OPTION…: runs suites of meson's and adds up their cases; LOG is the name that
# meson gives the logs of such a run.
suites() {
    local directory=$1 base=$1/meson-logs/$2 counts summary
    shift 2
    say "$directory: tests $*"
    rm -f "$base.json" "$base.junit.xml"
    run tests test_as_root "$directory" --num-processes "$processes" "$@"
    if ! summary=$(/usr/bin/python3 -B tests/summary.py "$base"); then
        failed=$((failed + 1))
        show_log tests
        return
    fi
    read -ra counts <<<"${summary##*$'\n'}"
    [ "$summary" = "${counts[*]}" ] || printf '%s\n' "${summary%$'\n'*}"
    printf '   %d passed, %d failed, %d skipped\n' "${counts[@]}"
    passed=$((passed + counts[0]))
    failed=$((failed + counts[1]))
    skipped=$((skipped + counts[2]))
}

prepare_to_test() {
    install_packages "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}" "${TEST_PACKAGES[@]}" || exit 1
    fetch_axe build-axe || exit 1
}

prepare_to_check() {
    prepare_to_test
    install_packages "${CHECK_PACKAGES[@]}" || exit 1
}

# Builds with gcc, and runs every suite and the demo once. Returns 1 if there is no build.
test_all() {
    CC=gcc build build --werror || return 1
    suites build testlog
    check demo contrib/demo.sh --once
}

# A secondary of 60,000 own zones, which takes minutes. It makes as many files, and to remove them from a disk
# may take another one.
check_many_zones() {
    local -x TMPDIR=${TMPDIR-/tmp}
    local free
    free=$(df --output=avail -BM /dev/shm 2>/dev/null | tr -dc '[:digit:]')
    [ "${free:-0}" -lt 1024 ] || TMPDIR=/dev/shm
    suites build testlog --timeout-multiplier 4 --test-args='--domains 20000' e2e_catalog_parts
}

# A thousand domains behind each web server, and fifty that get certificates, which takes minutes.
check_many_certificates() {
    suites build testlog --timeout-multiplier 2 \
        --test-args='--domains 1000 --certificates 50 -k "empty_server or hundreds_of or many_domains"' \
        e2e_apache e2e_caddy e2e_dns_challenge e2e_https
}

# Checks that need no program to run. gcc's analyzer loses sight of memory that a structure owns;
# tests/analyzer.supp names the places where it is wrong.
check_statically() {
    check format-check ninja -C build format-check
    check tidy ninja -C build tidy
    check cppcheck cppcheck -q --error-exitcode=1 --enable=warning,performance,portability \
        --suppress=memleak --inline-suppr --project=build/compile_commands.json -i tests --library=posix -D__GNUC__ \
        --include=/usr/include/x86_64-linux-gnu/sys/queue.h
    check analyzer analyze
}

analyze() {
    CC=gcc configure build-analyzer -Dwerror=false --buildtype=debug -Dc_args=-fanalyzer >/dev/null &&
        ninja -C build-analyzer -t clean >/dev/null &&
        LC_ALL=C ninja -C build-analyzer src/pdns-mta-sts |
        /usr/bin/python3 -B tests/analyzer.py tests/analyzer.supp
}

# The unit tests under valgrind, of the build that is there.
check_valgrind() {
    suites build testlog-valgrind --setup valgrind
}

# Suites with the address and undefined-behaviour sanitizers: all, or check_asan TEST… those tests, and
# the unit tests and corpora.
check_asan() {
    if CC=clang build build-asan --werror --buildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false; then
        if [ $# -eq 0 ]; then
            suites build-asan testlog
        else
            suites build-asan testlog --suite unit --suite fuzz
            suites build-asan testlog "$@"
        fi
    fi
}

# Suites with the thread sanitizer: all, or check_tsan TEST… those tests, which need the program alone.
check_tsan() {
    local target=${1:+src/pdns-mta-sts}
    if CC=clang build build-tsan --werror --buildtype=debugoptimized \
        -Db_sanitize=thread -Db_lundef=false; then
        suites build-tsan testlog "$@"
    fi
}

# Which lines the suites run: all of backend/ and src/ together must have LINES_MIN per cent.
LINES_MIN=90
check_coverage() {
    if CC=gcc build build-coverage --buildtype=debug -Db_coverage=true \
        -Dc_args=-fprofile-update=atomic; then
        suites build-coverage testlog --timeout-multiplier 3
        check coverage gcovr -r . --object-directory build-coverage -f backend -f src \
            --fail-under-line "$LINES_MIN"
        show_log coverage
    fi
}

finish() {
    say end
    [ "$skipped" -eq 0 ] || printf '%d skipped\n' "$skipped"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
