// `pnpm start`: the whole system on this machine.
import { startBundled } from '@signet/bundle'
import { mayBegin } from './may-begin.ts'

const help = `Usage: pnpm start

Starts PostgreSQL, the issuer, the administration and a service that they protect, and says where they are and what to paste. The
first start makes the database, the keys and the first administrator; later ones go on with them. Ctrl-C stops all of it.
Settings are environment variables, also from .env: see README.md. With DATABASE_URL it uses a PostgreSQL of yours.

  --help   this text
`

if (mayBegin(process.argv.slice(2), help)) {
  await startBundled(new URL('program.ts', import.meta.url).href, () =>
    console.log('Signet is put together, at the first start and after an upgrade: some three seconds'),
  )
}
