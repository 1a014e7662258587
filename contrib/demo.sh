#!/usr/bin/env bash
# Shows the service at work: PowerDNS with three small zones in SQLite, a YAML file that lists their
# domains, and what dig sees. Everything lives in a temporary directory and on free loopback ports.
set -euo pipefail

usage() {
    cat <<'END'
Usage: contrib/demo.sh [--once] [--keep]

Builds pdns-mta-sts (into build/), starts it beside a PowerDNS of its own, and shows with dig which
records it adds. Then it stays up, so that you can try more, until Ctrl-C. Packages that are missing
are installed first, which takes root or sudo.

  --once   end after showing the answers
  --keep   leave the temporary directory with configuration, zones and logs
  --help   show this help
END
}

once=no
keep=no
for option in "$@"; do
    case $option in
    --once) once=yes ;;
    --keep) keep=yes ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

cd "$(dirname "$0")/.."
# shellcheck source=contrib/packages.sh
. contrib/packages.sh
PATH=$PATH:/usr/sbin # where PowerDNS is, which is not in everybody's path
dir=
service=
powerdns=

stop() {
    [ -z "$1" ] || { kill "$1" && wait "$1"; } 2>/dev/null || true
}

clean_up() {
    stop "$powerdns"
    stop "$service"
    [ -n "$dir" ] || return 0
    if [ $keep = yes ]; then
        echo "Left for you: $dir"
    else
        rm -rf "$dir"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ]; then
    bold=$'\e[1m' plain=$'\e[0m'
else
    bold='' plain=''
fi

title() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Runs a command quietly; where it fails, shows what it said.
quietly() {
    "$@" >"$dir/quietly.log" 2>&1 || {
        cat "$dir/quietly.log" >&2
        fail "failed: $*"
    }
}

# A port of 127.0.0.1 that is free for TCP and UDP, below those that outgoing connections use.
free_port() {
    /usr/bin/python3 - <<'END'
import random, socket
for port in random.sample(range(20000, 30000), 1000):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(port)
    break
END
}

# Waits up to ten seconds until a command succeeds, while a process is alive.
wait_for() {
    local name=$1 pid=$2 log=$3
    shift 3
    for _ in {1..200}; do
        "$@" >"$dir/wait.log" 2>&1 && return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$log" >&2
    fail "$name did not start"
}

service_accepts() {
    (exec 3<>"/dev/tcp/127.0.0.1/$http_port")
}

build_program() {
    [ -f build/build.ninja ] || quietly meson setup build
    quietly ninja -C build src/pdns-mta-sts
}

write_files() {
    mkdir "$dir/domains.d" "$dir/pdns.d"
    cat >"$dir/domains.d/customers.list" <<'END'
# One domain a line.
example.org
END
    cat >"$dir/config.yaml" <<END
listen:
  http: {address: "127.0.0.1:$http_port", path: /dns}
policies:
  - domain: example.net
    mode: enforce
    mx: [mail.example.net, "*.mx.example.net"]
    max_age: 1w
    rua: ["mailto:postmaster@example.net"]
    policy_host: [192.0.2.40, "2001:db8::40"]
    domain_files: [domains.d/*.list]
END
    cat >"$dir/zone" <<'END'
@    3600 SOA ns1.example.net. hostmaster.example.net. 1 10800 3600 604800 300
@    3600 NS  ns1.example.net.
@    3600 MX  10 mail.example.net.
END
    sed "s/:8053/:$http_port/" contrib/pdns.d/zz-remote.conf >"$dir/pdns.d/zz-remote.conf"
    # The caches are off, so that a change shows at once.
    cat >"$dir/pdns.conf" <<END
launch=gsqlite3
gsqlite3-database=$dir/zones.sqlite3
include-dir=$dir/pdns.d
local-address=127.0.0.1
local-port=$dns_port
socket-dir=$dir
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
disable-syslog=yes
daemon=no
guardian=no
write-pid=no
security-poll-suffix=
END
}

# pdnsutil opens every backend, so the service must be up already.
make_zones() {
    sqlite3 "$dir/zones.sqlite3" </usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql
    for zone in example.net example.org example.com; do
        quietly pdnsutil --config-dir="$dir" load-zone "$zone" "$dir/zone"
    done
}

start_service() {
    build/src/pdns-mta-sts serve -c "$dir/config.yaml" 2>"$dir/pdns-mta-sts.log" &
    service=$!
    wait_for pdns-mta-sts "$service" "$dir/pdns-mta-sts.log" service_accepts
}

start_powerdns() {
    pdns_server --config-dir="$dir" >"$dir/pdns.log" 2>&1 &
    powerdns=$!
    wait_for PowerDNS "$powerdns" "$dir/pdns.log" \
        dig @127.0.0.1 -p "$dns_port" +time=1 +tries=1 example.net SOA
}

# Shows a command line as one could type it, and what it prints.
show() {
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    bash -c "$1" | tee "$dir/output" || fail "failed: $1"
}

ask() {
    show "dig @127.0.0.1 -p $dns_port +noall +answer $*"
    [ -s "$dir/output" ] || fail "no answer"
}

# ask_status EXPECTED NAME TYPE
ask_status() {
    show "dig @127.0.0.1 -p $dns_port +noall +comments ${*:2} | grep status:"
    grep -q "status: $1," "$dir/output" || fail "the status should be $1"
}

show_answers() {
    title "The domains come from a YAML file and a list:"
    show "tail -n +3 $dir/config.yaml; cat $dir/domains.d/customers.list"
    title "The zones are in SQLite, and nobody added a record of MTA-STS or TLSRPT to them:"
    show "sqlite3 $dir/zones.sqlite3 'SELECT name, type, content FROM records WHERE type <> \"SOA\"'"
    title "And yet, the domain of the policy has them:"
    ask _mta-sts.example.net TXT
    ask _smtp._tls.example.net TXT
    ask mta-sts.example.net A
    ask mta-sts.example.net AAAA
    title "A domain of the list follows by CNAME:"
    ask _mta-sts.example.org TXT
    ask _smtp._tls.example.org TXT
    ask mta-sts.example.org A
    title "The name between exists without records, as resolvers that minimise names need:"
    ask_status NOERROR _tls.example.org TXT
    title "Any other name is still PowerDNS's to answer, or to deny:"
    ask example.org MX
    ask_status NXDOMAIN other.example.org TXT
    title "A domain that is not listed has nothing:"
    ask_status NXDOMAIN _mta-sts.example.com TXT
}

add_domain() {
    title "Put it on the list, and reload:"
    show "echo example.com >>$dir/domains.d/customers.list"
    show "kill -HUP $service"
    wait_for "the reload" "$service" "$dir/pdns-mta-sts.log" \
        grep "reload: " "$dir/pdns-mta-sts.log"
    show "tail -n 1 $dir/pdns-mta-sts.log"
    ask _mta-sts.example.com TXT
}

stay_up() {
    title "Both servers stay up until Ctrl-C. Try, in another terminal:"
    cat <<END
  dig @127.0.0.1 -p $dns_port _smtp._tls.example.com TXT
  curl http://127.0.0.1:$http_port/dns/lookup/_mta-sts.example.net/ANY
  \$EDITOR $dir/config.yaml
  $PWD/build/src/pdns-mta-sts check -c $dir/config.yaml
  kill -HUP $service; tail $dir/pdns-mta-sts.log
END
    wait -n "$service" "$powerdns" || true
    tail -n 5 "$dir/pdns-mta-sts.log" "$dir/pdns.log" >&2
    fail "a server has ended"
}

install_packages "${BUILD_PACKAGES[@]}" "${POWERDNS_PACKAGES[@]}"
dir=$(mktemp -d)
http_port=$(free_port)
dns_port=$(free_port)
build_program
write_files
start_service
make_zones
start_powerdns
show_answers
add_domain
[ $once = yes ] || stay_up
