#!/bin/sh
# Run once by the database's image, when its data is made: one login that owns and migrates, and one that the programs work as,
# which owns nothing.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$(cat /run/secrets/owner-password)" \
  --set login_password="$(cat /run/secrets/login-password)" <<'SQL'
create role signet_owner login createrole password :'owner_password';
create role signet login password :'login_password';
create database signet owner signet_owner;
SQL
