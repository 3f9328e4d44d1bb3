#!/bin/sh
# make-secrets.sh [FOLDER]: the secrets that docker-compose.yml gives to its services, made once. The folder is yours alone;
# the files in it can be read by the unprivileged accounts of the containers, which they are mounted into one by one.
set -eu
folder=${1:-.signet/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() {
  [ -s "$folder/$1" ] && return
  printf '%s' "$2" >"$folder/$1"
  chmod 0444 "$folder/$1"
}

keep postgres-password "$(random)"
keep owner-password "$(random)"
keep login-password "$(random)"
keep service-key "$(random)"
keep setup-token "$(random)"
keep database-admin-url "postgres://signet_owner:$(cat "$folder/owner-password")@postgres:5432/signet"
keep database-url "postgres://signet:$(cat "$folder/login-password")@postgres:5432/signet"
echo "The secrets are in $folder. The first administrator is made with the setup token."
