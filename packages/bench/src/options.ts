/** What the two commands say of themselves. */

export const partNames = [
  'verify',
  'revocation',
  'refresh',
  'sign-in',
  'tenant',
  'decisions',
  'directory',
  'growth',
  'enumeration',
  'import',
  'lanes',
  'memory',
] as const
export type PartName = (typeof partNames)[number]

export const help = `Holds Signet against the raw limits of this machine, against other libraries and servers, and
against what it promises under attack.

Usage: pnpm bench [part …]

Parts, all of them without an argument (about half an hour):
  verify       the verifier against raw crypto.verify and other libraries; what revocation, can() and importing cost
  revocation   how soon 20 verifiers refuse a session that has ended, pushed, polled, and without an issuer
  refresh      POST /api/v1/tokens/refresh against raw RSA-2048 signing and oidc-provider
  sign-in      POST /api/v1/tokens against raw argon2id
  tenant       a read within a tenant against the same read without
  decisions    who may do what: by a role, and by policies that are prepared, without SQL
  directory    requests with 1,000,000 people in 10,000 tenants against 10,000 in 100
  growth       sessions of 1,000,000 people against those of 10,000, and what removing a million of them costs others
  enumeration  can the time of an answer tell who has an account?
  import       people a second through POST /admin/v1/users/import, and the memory of the administration
  lanes        key set, refresh and health while sign-ins are more than can be served
  memory       resident memory of the issuer, 60 s after it is ready

Options:
  --help    this text

DATABASE_URL names a server to use instead of the embedded one: a login that may create databases and
roles. A database is made there and dropped at the end.

IMPORT_LINES is how many lines the import has, 100,000 by default.

packages/bench/README.md says what each part does and how to read the table.`

export const faultPartNames = ['database', 'refresh', 'delivery', 'keys', 'tenants'] as const
export type FaultPartName = (typeof faultPartNames)[number]

export const faultHelp = `Breaks running programs again and again, and checks after each time that what they promised holds.

Usage: pnpm bench:faults [part …]

Parts, all of them without an argument (about half an hour):
  database  every connection is ended by the server in the middle of its work, 100 times
  refresh   kill -9 of the issuer while sessions are refreshed, 200 times
  delivery  kill -9 of the issuer while it delivers mail, 100 times
  keys      the signing key is rotated 1,000 times under 500 verifications a second, and keys are removed
  tenants   10,000 requests of 50 tenants at the administration, with errors and callers who hang up

Exits with 1 when one promise was broken or could not be checked.

Options:
  --help    this text

DATABASE_URL names a server to use instead of the embedded one: a superuser's login. A database is made
there and dropped at the end.

packages/bench/README.md says what each part does and how to read the table.`
