# Completion of pdns-mta-sts for bash. A test compares it with what the program's help says.
# shellcheck shell=bash

_pdns_mta_sts() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command=
    local words

    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        serve | check | records | lookup | verify | sync | policy | history | export)
            command=$word
            break
            ;;
        esac
    done

    case $previous in
    -c | --config | --ca-file | --trust-anchor)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --format)
        words="zone json"
        [ "$command" != verify ] || words="text json"
        ;;
    --check) words="txt tls-ent tlsrpt servers dnssec policy-host https policy mx starttls rua" ;;
    -l | --log-level) words="error warning info debug" ;;
    *)
        words="--config --help --version"
        case $command in
        "") words+=" serve check records lookup verify sync policy history export" ;;
        serve) words+=" --log-level" ;;
        records) words+=" --format" ;;
        verify)
            words+=" --format --check --resolver --trust-anchor --ca-file --no-smtp --save"
            ;;
        sync) words+=" --dry-run" ;;
        export) words+=" --per-certificate caddy nginx apache dehydrated delegations" ;;
        esac
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o filenames -F _pdns_mta_sts pdns-mta-sts
