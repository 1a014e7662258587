#!/usr/bin/env bash
# A hook for dehydrated (docs/https.md). For each new certificate:
#
# - nginx's workers may read it and its key;
# - other users, such as the service, may reach files by their names, and list nothing.
#
# When all certificates are there, the service reloads once and announces the policies that waited for
# them.
#
# Use it in a configuration of dehydrated's for policy hosts alone: it opens the keys of all
# certificates that it is called for. dehydrated's environment may set:
group=${PDNS_MTA_STS_KEY_GROUP:-www-data}                             # nginx's group
reload=${PDNS_MTA_STS_RELOAD:-systemctl reload pdns-mta-sts.service} # reloads the service

set -euo pipefail

# Exists from the first new certificate to the reload.
marker=${CERTDIR:-}/.pdns-mta-sts-reload

# deploy_cert DOMAIN KEYFILE CERTFILE FULLCHAINFILE CHAINFILE TIMESTAMP
deploy_cert() {
    local key=$2 fullchain=$4 directory=${2%/*}

    chgrp -- "$group" "$key"
    chmod 640 -- "$key"
    chmod 644 -- "$fullchain"
    chmod 711 -- "$directory" "$CERTDIR"
    : >"$marker"
}

exit_hook() {
    [ -e "$marker" ] || return 0
    $reload
    rm -f -- "$marker"
}

# dehydrated calls a hook for many more events.
case ${1:-} in
deploy_cert | exit_hook)
    "$@"
    ;;
esac
