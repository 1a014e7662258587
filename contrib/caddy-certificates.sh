#!/usr/bin/env bash
# For Caddy and domains that wait for their certificates (docs/caddy.md). Run it as root after domains were added. It
#
# - asks Caddy once for each policy host that has no certificate, which makes Caddy get one;
# - lets other users, such as the service, reach the files in Caddy's storage by name, and list nothing;
# - reloads the service, which then announces the domains that have got a certificate.
#
# Its environment may set:
authority=acme-v02.api.letsencrypt.org-directory
store=${PDNS_MTA_STS_STORE:-/var/lib/caddy/.local/share/caddy/certificates/$authority}
config=${PDNS_MTA_STS_CONFIG:-/etc/pdns-mta-sts/config.yaml}
reload=${PDNS_MTA_STS_RELOAD:-systemctl reload pdns-mta-sts.service} # reloads the service

set -euo pipefail

# The policy hosts without a certificate.
missing() {
    local host
    for host in $hosts; do
        [ -e "$store/$host/$host.crt" ] || echo "$host"
    done
}

# Lets other users pass through the directories on the way to a path.
open_way() {
    local directory=$1
    while [ "$directory" != / ]; do
        chmod o+x -- "$directory"
        directory=$(dirname -- "$directory")
    done
}

hosts=$(pdns-mta-sts export dehydrated -c "$config")

# Asks Caddy for each host that is read, some at the same time. Whether a certificate is trusted is for verify to
# say. Caddy 2.6 refuses some of several requests at the same time, which are tried again.
ask() {
    xargs -r -P "$1" -I HOST curl -sk -o /dev/null --max-time 60 \
        --retry 2 --retry-delay 1 --retry-all-errors --retry-max-time 20 \
        --connect-to HOST:443:127.0.0.1:443 https://HOST/.well-known/mta-sts.txt || true
}

# One alone first, so that Caddy has an account: on a busy machine, several first requests at once have been seen
# to leave Caddy 2.6 with a key that is not its account's.
first=$(missing)
ask 1 <<<"${first%%$'\n'*}"
missing | ask 4

changed=
if [ -d "$store" ]; then
    open_way "$store"
    while read -r directory; do
        [ -e "$directory/${directory##*/}.crt" ] || continue
        chmod o+x -- "$directory"
        changed=yes
    done < <(find "$store" -mindepth 1 -maxdepth 1 -type d ! -perm -o=x)
fi
[ -z "$changed" ] || $reload

missing | sed 's/^/no certificate: /' >&2
