#!/bin/sh
# Make the passwords of the database, once: sh docs/deployment/make-secrets.sh FOLDER DATABASE_HOST
#
# database_url        the service's own role: it may read, and add; it owns no table
# database_owner_url  the role that owns the tables; `dosegate db upgrade` alone is given it
# postgres_password   the superuser of the database server of docker-compose.yml; others need no such file
#
# Files that are there already stay as they are. The folder keeps others out; the files themselves can be read by
# all, because a container shows each file, and not the folder, to a user who is not the one on this machine.
set -eu
if [ $# -ne 2 ]; then
    echo "usage: sh $0 FOLDER DATABASE_HOST" >&2
    exit 2
fi
folder=$1 host=$2

new() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

keep() {
    if [ -e "$folder/$1" ]; then
        echo "$folder/$1 is there already"
    else
        printf '%s\n' "$2" >"$folder/$1.new"
        chmod 444 "$folder/$1.new"
        mv "$folder/$1.new" "$folder/$1"
        echo "$folder/$1 is new"
    fi
}

umask 077
mkdir -p "$folder"
chmod 700 "$folder"
keep database_url "postgresql://dosegate:$(new)@$host/dosegate"
keep database_owner_url "postgresql://dosegate_owner:$(new)@$host/dosegate"
keep postgres_password "$(new)"
