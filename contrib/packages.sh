# Sourced by contrib/demo.sh and tests/run.sh: which Debian packages they need, and how to get those
# that are missing.
# shellcheck shell=bash disable=SC2034

# To build. Configuring wants cmocka too, since it takes in the tests.
BUILD_PACKAGES=(
    gcc libc6-dev libcmocka-dev libcurl4-openssl-dev libevent-dev libidn2-dev
    libjansson-dev libsqlite3-dev libunbound-dev libyaml-dev meson nettle-dev ninja-build pkg-config scdoc
)

# To see the service at work behind PowerDNS.
POWERDNS_PACKAGES=(
    bind9-dnsutils pdns-backend-remote pdns-backend-sqlite3 pdns-server python3 sqlite3
)

# For all tests, beside the two above. These compare llhttp with its predecessor.
TEST_PACKAGES=(
    apache2 bind9 bind9-utils build-essential caddy certbot chromium chromium-driver curl debhelper dehydrated
    dns-root-data dnsdist dnsperf dpkg-dev fakeroot faketime git groff-base iproute2 knot knot-dnsutils
    lego libhttp-parser-dev lintian man-db nginx nsd openssl pdns-backend-bind pebble postfix
    postfix-mta-sts-resolver procps prometheus python3-cryptography python3-dnspython python3-pytest python3-selenium
    strace systemd unbound
)

# Debian 12 has no llhttp, and systemd-dev is a part of systemd there.
if [ "$(. /etc/os-release && echo "$VERSION_CODENAME")" = bookworm ]; then
    BUILD_PACKAGES+=(libhttp-parser-dev)
else
    BUILD_PACKAGES+=(libllhttp-dev)
    TEST_PACKAGES+=(systemd-dev)
fi

# For sanitizers, valgrind, the static checks and the coverage.
CHECK_PACKAGES=(
    clang clang-format clang-tidy cppcheck gcovr libc6-dbg libclang-rt-dev llvm valgrind
)

# axe-core, which finds what keeps people from reading a page, has no Debian package.
AXE_VERSION=4.10.3
AXE_SHA256=0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "Root is needed to run: $*" >&2
        return 1
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

# Installs those of the given packages that are missing; does nothing if there are none.
install_packages() {
    local package missing=()

    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "Installing ${missing[*]}" >&2
    apt_get update >&2 &&
        apt_get install -y --no-install-recommends "${missing[@]}" >/dev/null || return 1
    # Debian starts new servers at once, on ports 53 and 80. Nothing here needs those, so they are turned off, but
    # only those that came with this very installation.
    [ -d /run/systemd/system ] || return 0
    for package in "${missing[@]}"; do
        case $package in
        bind9)
            as_root systemctl disable --now --quiet named.service || return 1
            ;;
        apache2 | caddy | dnsdist | knot | nginx | nsd | pdns-server | postfix | \
            postfix-mta-sts-resolver | prometheus | unbound)
            as_root systemctl disable --now --quiet "${package%-server}.service" || return 1
            ;;
        esac
    done
}

# fetch_axe DIRECTORY: has axe.min.js there, from npm.
fetch_axe() {
    local archive=axe-core-$AXE_VERSION.tgz

    [ ! -f "$1/axe.min.js" ] || return 0
    # Another nodejs than Debian's brings an npm of its own.
    command -v npm >/dev/null || install_packages npm || return 1
    mkdir -p "$1" &&
        (cd "$1" && npm pack --silent "axe-core@$AXE_VERSION" >/dev/null &&
            sha256sum --quiet -c <<<"$AXE_SHA256  $archive" &&
            tar -xzf "$archive" --strip-components=1 package/axe.min.js)
}
