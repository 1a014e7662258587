#!/usr/bin/env bash
# The Debian package on a fresh Debian, booted with systemd in a container without a network: built,
# installed, and put to use as README.md says, by the commands of that page; then reloaded and restarted
# under load, and backed out. Takes root, and downloads some 200 packages through this machine's apt.
# The first step that fails ends it.
#
# Given a command, it runs that alone instead: in the sources, with all that tests need installed, and built.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh

case ${1-} in
bookworm | trixie | sid) release=$1 ;;
*)
    echo "Usage: tests/system.sh bookworm|trixie|sid [COMMAND…]" >&2
    exit 2
    ;;
esac
shift

dir=$(mktemp -d /var/tmp/pdns-mta-sts-system.XXXXXX)
cgroup=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/${dir##*/}
root=$dir/root
log=$dir/log
container='' # the process of systemd-nspawn
init=''      # the systemd in it

clean_up() {
    shut_down || true
    [ -z "$container" ] || kill "$container" 2>/dev/null || true
    wait
    [ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} +
    rm -rf --one-file-system "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    printf '== %s [%d s]\n' "$*" "$SECONDS"
}

fail() {
    echo "$release: $*" >&2
    exit 1
}

# Runs a command quietly; where it fails, shows what it said.
quietly() {
    "$@" >"$log" 2>&1 </dev/null || {
        tail -n 100 "$log" >&2
        fail "failed: $*"
    }
}

# make_root HOOK…: a minimal system with the sources. mmdebstrap's hooks fetch all packages that are wanted
# later into apt's cache: there is no network then. The mirror may be a snapshot, and this machine need not
# know the keys of all releases.
make_root() {
    local uri
    say "$release: fetch"
    # shellcheck disable=SC2016  # apt's variable
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sort -u)
    quietly mmdebstrap --variant=minbase --mode=root --skip=cleanup/apt --dpkgopt=force-unsafe-io \
        --aptopt='APT::Get::Assume-Yes "true"' --include=dbus,libnss-systemd,procps,systemd-sysv \
        --customize-hook="git clone '$PWD' \"\$1/root/pdns-mta-sts\"" "${@/#/--customize-hook=}" \
        "$release" "$root" "deb [trusted=yes check-valid-until=no] ${uri%%$'\n'*} $release main"
}

# shellcheck disable=SC2016  # mmdebstrap's variable
fetch='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -y --download-only'

# Runs a command in the container.
inside() {
    nsenter -t "$init" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# Becomes systemd-nspawn. Where systemd does not run here, nspawn cannot ask it for a cgroup, and the units of
# two containers would share theirs. Newer versions of systemd only know the unified hierarchy.
nspawn() {
    local unit=()
    if [ ! -d /run/systemd/system ]; then
        unit=(--keep-unit)
        mkdir -p "$cgroup"
        echo "$BASHPID" >"$cgroup/cgroup.procs"
    fi
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet -D "$root" --register=no \
        "${unit[@]}" --private-network --console=pipe --boot systemd.unit=multi-user.target \
        >"$dir/boot" 2>&1 </dev/null
}

boot() {
    say "$release: boot"
    nspawn &
    container=$!
    for _ in {1..600}; do
        init=$(pgrep -P "$container" -x systemd || true)
        [ -z "$init" ] || ! inside systemctl is-system-running 2>/dev/null | grep -q running || return 0
        sleep 0.1
    done
    cat "$dir/boot" >&2
    [ -z "$init" ] || inside systemctl --failed --no-pager >&2 || true
    fail "the system does not start"
}

shut_down() {
    [ -n "$init" ] || return 0
    inside systemctl poweroff 2>/dev/null || true # which ends the connection
    timeout 60 tail --pid="$container" -f /dev/null
    container='' init=''
}

# run DIRECTORY: runs a script from stdin in the container.
run() {
    cat >"$root/root/script"
    quietly inside bash -c "cd '$1' && bash -e /root/script"
}

# The commands of a section of README.md: its blocks of the language sh.
readme() {
    awk -v heading="## $1" 'index($0, "## ") == 1 { there = index($0, heading) == 1 }
        /^ *```/ { take = there && /```sh$/; next } take' README.md | grep . ||
        fail "README.md has no commands below \"$1\""
}

# Runs a command in the sources, which are built. The servers among the packages do not start.
with_tools() {
    # shellcheck disable=SC2016  # what the release needs, says the release
    local packages='. contrib/packages.sh
        echo "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}" "${TEST_PACKAGES[@]}"'

    make_root "$fetch install \$(chroot \"\$1\" bash -c 'cd /root/pdns-mta-sts && $packages')"
    fetch_axe build-axe || fail "axe-core cannot be fetched"
    cp -r build-axe "$root/root/pdns-mta-sts/"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    boot
    say "install"
    run /root/pdns-mta-sts <<<"apt-get install --no-install-recommends \$($packages)"
    say "build"
    run /root/pdns-mta-sts <<<'meson setup build && ninja -C build'
    say "$*"
    inside env -C /root/pdns-mta-sts "$@"
}

# A PowerDNS as Debian sets it up, with two zones in SQLite.
install_powerdns() {
    run /root <<'END'
apt-get install pdns-server pdns-backend-sqlite3 sqlite3 dnsperf bind9-dnsutils
cat >/etc/powerdns/pdns.d/gsqlite3.conf <<'CONF'
launch+=gsqlite3
gsqlite3-database=/var/lib/powerdns/pdns.sqlite3
gsqlite3-dnssec=yes
CONF
sqlite3 /var/lib/powerdns/pdns.sqlite3 </usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql
chown pdns:pdns /var/lib/powerdns/pdns.sqlite3
# pdnsutil 5.1.5 cannot load the backend that Debian installs by default.
pdnsutil list-all-zones || apt-get purge pdns-backend-bind
cat >zone <<'ZONE'
@ 3600 SOA ns1.example.net. hostmaster.example.net. 1 10800 3600 604800 300
@ 3600 NS ns1.example.net.
@ 3600 MX 10 mail.example.net.
ZONE
pdnsutil load-zone example.net zone
pdnsutil load-zone example.org zone
systemctl restart pdns
END
}

# expect TEXT NAME TYPE: fails unless the answer, or the status where there is none, has the text.
expect() {
    local answer
    answer=$(inside dig @127.0.0.1 +noall +answer +comments "$2" "$3")
    grep -qF "$1" <<<"$answer" || fail "expected $1 for $2 $3, found:"$'\n'"$answer"
}

expect_records() {
    local domain
    for domain in example.net example.org; do
        expect '"v=STSv1; id=' "_mta-sts.$domain" TXT
        expect '"v=TLSRPTv1; rua=mailto:tlsrpt@example.net"' "_smtp._tls.$domain" TXT
        expect 'status: NOERROR' "_tls.$domain" TXT
        expect '192.0.2.40' "mta-sts.$domain" A
        expect 'mail.example.net.' "$domain" MX
        expect 'status: NXDOMAIN' "other.$domain" A
    done
}

expect_no_records() {
    expect 'status: NXDOMAIN' _mta-sts.example.net TXT
    expect 'status: NXDOMAIN' mta-sts.example.org A
    expect 'mail.example.net.' example.net MX
}

reload() {
    run /root <<'END'
cp /etc/pdns-mta-sts/config.yaml right.yaml
sed -i 's/192\.0\.2\.40/192.0.2.41/' /etc/pdns-mta-sts/config.yaml
systemctl reload pdns-mta-sts
pdns_control purge
END
    expect 192.0.2.41 mta-sts.example.org A
    run /root <<'END'
echo nonsense >/etc/pdns-mta-sts/config.yaml
if systemctl reload pdns-mta-sts; then exit 1; fi
pdns_control purge
END
    expect 192.0.2.41 mta-sts.example.org A
    run /root <<'END'
cp right.yaml /etc/pdns-mta-sts/config.yaml
systemctl reload pdns-mta-sts
pdns_control purge
END
    expect_records
}

# Restarts the service ten times under load, and prints what dnsperf saw, which lost no answer. Each
# question is for another name that the zones lack, so it reaches the service.
restart_under_load() {
    inside bash -e <<'END' | sed 's/^ */   /' || fail "queries were lost"
cd /root
for ((i = 0; i < 15000; i++)); do echo "$i-$RANDOM.example.net A"; done >questions
dnsperf -s 127.0.0.1 -d questions -n 1 -Q 1000 -t 5 >perf &
for _ in {1..10}; do
    sleep 1.5
    systemctl restart pdns-mta-sts
done
wait
grep -E 'Queries (completed|lost)|Response codes' perf
grep -qE 'Queries lost: +0 ' perf
if grep -q SERVFAIL perf; then exit 1; fi
END
}

# over_unix UNIT…: has PowerDNS use the unix socket, with these units started before the service.
over_unix() {
    run /root <<END
sed -i '/^listen:/d' /etc/pdns-mta-sts/config.yaml
echo 'listen: {http: {}, unix: {group: pdns}}' >>/etc/pdns-mta-sts/config.yaml
sed -i 's|=http:.*|=unix:path=/run/pdns-mta-sts/pdns.sock,timeout=2000|' /etc/powerdns/pdns.d/zz-remote.conf
systemctl stop pdns pdns-mta-sts
systemctl start $* pdns-mta-sts
systemctl start pdns
END
    expect_records
}

show_service() {
    inside grep -E 'VmHWM|VmRSS' "/proc/$(inside systemctl show -P MainPID pdns-mta-sts)/status"
    inside systemd-analyze security --no-pager pdns-mta-sts.service | tail -n 1
}

expect_nothing_left() {
    local left
    left=$(inside find / /run -xdev -path /root -prune -o -name '*pdns-mta-sts*' -print)
    left+=$(inside systemctl list-units --no-legend 'pdns-mta-sts*')
    [ -z "$left" ] || fail "left by the package: $left"
}

# The package, all the way from its sources to its end.
try_package() {
    local wanted
    wanted=$(sed -nE 's/^(Depends|Recommends)://p' debian/control | tr ',' '\n' | grep -v '[$]')
    fetch+=' -o APT::Install-Recommends=true'
    make_root "$fetch install build-essential bind9-dnsutils dnsperf pdns-backend-remote \
            pdns-backend-sqlite3 pdns-server sqlite3 ${wanted//$'\n'/ }" \
        "$fetch build-dep '$PWD'"
    boot
    install_powerdns
    expect_no_records
    say "README.md: Build the package"
    readme 'Build the package' | run /root/pdns-mta-sts
    say "README.md: Quick start"
    readme 'Quick start' | run /root
    expect_records
    show_service
    say "reload"
    reload
    say "restarts over HTTP"
    restart_under_load
    say "upgrade"
    run /root <<<'apt-get install --reinstall ./pdns-mta-sts_*.deb'
    expect_records
    say "restarts over a unix socket that the service opens"
    over_unix
    restart_under_load
    say "restarts over the unix socket of the unit"
    over_unix pdns-mta-sts-unix.socket
    restart_under_load
    show_service
    say "reboot"
    shut_down
    boot
    expect_records
    say "README.md: Back out"
    readme 'Back out' | run /root
    expect_no_records
    expect_nothing_left
    say "$release: done"
}

install_packages mmdebstrap systemd-container git
if [ $# -eq 0 ]; then
    try_package
else
    with_tools "$@"
fi
