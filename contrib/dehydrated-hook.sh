#!/usr/bin/env bash
# A hook for dehydrated that puts a new certificate to use:
#
# - nginx, whose workers read it at each handshake, may read it and its key;
# - pdns-mta-sts, which reads neither, may see that it exists;
# - pdns-mta-sts reloads once, when all certificates are there, and announces the policies that
#   waited for theirs.
#
# In dehydrated's configuration: HOOK=/usr/local/lib/pdns-mta-sts/dehydrated-hook.sh
# Its environment may say otherwise than:
group=${PDNS_MTA_STS_KEY_GROUP:-www-data}                             # whose members are nginx's workers
reload=${PDNS_MTA_STS_RELOAD:-systemctl reload pdns-mta-sts.service} # makes the service reload

set -euo pipefail

# Says that there is a new certificate, from the hook's call for it to the one at the end.
marker=${CERTDIR:-}/.pdns-mta-sts-reload

# deploy_cert DOMAIN KEYFILE CERTFILE FULLCHAINFILE CHAINFILE TIMESTAMP
deploy_cert() {
    local key=$2 fullchain=$4 directory=${2%/*}

    chgrp -- "$group" "$key"
    chmod 640 -- "$key"
    chmod 644 -- "$fullchain"
    # Whoever knows the name of a file may ask whether it exists; nobody may list what there is.
    chmod 711 -- "$directory" "$CERTDIR"
    : >"$marker"
}

exit_hook() {
    [ -e "$marker" ] || return 0
    $reload
    rm -f -- "$marker"
}

# dehydrated calls a hook for much else, and wants it to do nothing then.
case ${1:-} in
deploy_cert | exit_hook)
    "$@"
    ;;
esac
