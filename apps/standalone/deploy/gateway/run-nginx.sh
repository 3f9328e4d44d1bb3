#!/bin/sh
# Runs nginx with the configuration that `pnpm gateway nginx --watch` writes, and reloads it when that has changed.
# A configuration that nginx does not take is said, and the former one stays.
set -eu
configuration=${1:?"which configuration?"}

until [ -s "$configuration" ]; do sleep 1; done
nginx -c "$configuration" -g 'daemon off;' &
nginx=$!
trap 'kill -QUIT "$nginx"' TERM INT

served=$(cksum <"$configuration")
while kill -0 "$nginx" 2>/dev/null; do
  sleep 2 &
  wait $! || true
  written=$(cksum <"$configuration")
  [ "$written" = "$served" ] && continue
  served=$written
  if nginx -t -q -c "$configuration"; then kill -HUP "$nginx"; fi
done
wait "$nginx"
