#!/usr/bin/env bash
# A hook for dehydrated (docs/nginx.md, docs/dns-01.md). For each new certificate:
#
# - nginx's workers may read it and its key;
# - other users, such as the service, may reach files by their names, and list nothing.
#
# When all certificates are there, the service reloads once and announces the policies that waited for
# them.
#
# Where there is a key for dynamic updates it writes each challenge, of dns-01, to the name that acme_challenge
# makes of the domain.
#
# Use it in a configuration of dehydrated's for policy hosts alone: it opens the keys of all
# certificates that it is called for. dehydrated's environment may set:
group=${PDNS_MTA_STS_KEY_GROUP:-www-data}                             # nginx's group
reload=${PDNS_MTA_STS_RELOAD:-systemctl reload pdns-mta-sts.service} # reloads the service
config=${PDNS_MTA_STS_CONFIG:-/etc/pdns-mta-sts/config.yaml}
server=${PDNS_MTA_STS_UPDATE_SERVER:-127.0.0.1} # takes dynamic updates
tsig_key=${PDNS_MTA_STS_UPDATE_KEY:-}           # a file for nsupdate; none: challenges are not written

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

# Adds or deletes the TXT record of a challenge.
update_challenge() {
    local command=$1 domain=$2 value=$3 name

    name=$(pdns-mta-sts lookup "_acme-challenge.$domain" CNAME -c "$config")
    name=${name##*[[:space:]]}
    nsupdate -k "$tsig_key" <<END
server $server
update $command $name 60 TXT "$value"
send
END
}

# deploy_challenge DOMAIN TOKEN VALUE, the value being of the TXT record with dns-01
deploy_challenge() {
    update_challenge add "$1" "$3"
}

clean_challenge() {
    update_challenge delete "$1" "$3"
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
deploy_challenge | clean_challenge)
    # Challenges over HTTP are files, which dehydrated writes itself.
    [ -z "$tsig_key" ] || "$@"
    ;;
esac
