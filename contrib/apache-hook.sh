#!/bin/sh
# For Apache's MDMessageCmd (docs/apache.md), which runs it as root when Apache starts or reloads, with
# "installed" and the name of each certificate that is new. mod_md lets nobody else into its directories, so
# the hook copies the certificate, which is public, to where the service looks for it. For the first one of
# a domain the service then reloads, and announces the domain.
#
# Its environment may set:
store=${PDNS_MTA_STS_STORE:-/etc/apache2/md/domains}
public=${PDNS_MTA_STS_PUBLIC:-/var/lib/apache2/mta-sts}
reload=${PDNS_MTA_STS_RELOAD:-systemctl --no-block reload pdns-mta-sts.service} # reloads the service

set -eu

[ "$1" = installed ] || exit 0
copy=$public/$2/pubcert.pem

# Its name has the type of the key in it, such as pubcert.secp256r1.pem, unless that is RSA.
certificate=
for path in "$store/$2"/pubcert*.pem; do
    [ ! -e "$path" ] || certificate=$path
done
[ -n "$certificate" ] || exit 0

known=
[ ! -e "$copy" ] || known=yes
install -D -m 644 -- "$certificate" "$copy"
[ -n "$known" ] || $reload
