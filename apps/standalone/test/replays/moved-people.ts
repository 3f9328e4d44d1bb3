/**
 * The table of each replaced system goes through the line of the guide and one import; then everybody signs in where the callers of
 * that system do, by the secret that they had there.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withAdminClient } from '@signet/db'
import type { Test } from 'tap'
import { readFirstAdmin } from '../../src/credentials-file.ts'
import { codeFor } from '../../src/demo/ways-in-story.ts'
import { createReplay, type Installation, type ReplayAnswer } from '../replay.ts'
import { hashes, oldPassword, tables } from './exported-tables.ts'

export const withoutJq = spawnSync('jq', ['--version']).error === undefined ? false : 'there is no jq on this machine'
const guide = readFileSync(new URL('../../../admin-api/docs/import.md', import.meta.url), 'utf8')
const ours = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/

/** What the guide says for a system, from the comment that names it to the next. */
function commandsFor(system: string): string {
  const [, commands] = new RegExp(`^# ${system}: .*\\n((?:[^#\`].*\\n)+)`, 'm').exec(guide) ?? []
  if (commands === undefined) throw new Error(`import.md has no line for ${system}.`)
  return commands
}

const linesOf = (rows: readonly object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('')

function convertTables(folder: string): string {
  mkdirSync(folder)
  return Object.entries(tables)
    .map(([system, files]) => {
      for (const [name, rows] of Object.entries(files))
        if (name !== '') writeFileSync(join(folder, name), linesOf(rows))
      const input = '' in files ? linesOf(files['']) : ''
      return execFileSync('sh', ['-c', commandsFor(system)], { cwd: folder, input, encoding: 'utf8' })
    })
    .join('')
}

interface Report {
  readonly status: string
  readonly id: string
  readonly external_id: string
}

/** Who is let in with what, and what that system's callers hear. */
interface Door {
  readonly who: string
  readonly hash: string
  readonly enter: (password: string) => Promise<ReplayAnswer>
  readonly entered: object
  readonly refused: object
}

export async function moveEverybody(t: Test, { home, database }: Installation): Promise<void> {
  const { iam, admin, readMail, addresses } = createReplay(home)
  const first = await readFirstAdmin(home.adminFile)
  const { body: staff } = await iam('POST', '/api/v1/tokens', {
    body: { email: first?.email, password: first?.password },
  })
  const { body: inCompany } = await iam('POST', '/api/v1/tokens/tenant', {
    body: { tenant_id: first?.tenant_id },
    token: staff.access_token,
  })
  const token: string = inCompany.access_token
  const reports = new Map<string, Report>()

  await t.test('with one import', async t => {
    const answer = await fetch(`${addresses.admin}/admin/v1/users/import`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      body: convertTables(join(home.folder, 'tables')),
    })
    t.equal(answer.status, 200)
    const lines = (await answer.text()).trim().split('\n')
    const last = lines.pop() ?? ''
    t.match(JSON.parse(last), { summary: { created: 13, exists: 0, failed: 0, lines: 13 } }, lines.join('\n'))
    for (const line of lines) {
      const report = JSON.parse(line) as Report
      reports.set(report.external_id, report)
    }
  })

  const idOf = (who: string) => reports.get(who)?.id ?? 'nobody'
  const hashOf = (who: string) =>
    withAdminClient(database.superUrl, async sql => {
      const [row] = await sql<{ hash: string }[]>`select hash from password_credentials where user_id = ${idOf(who)}`
      return row?.hash
    })
  const person = async (who: string) => (await admin('GET', `/admin/v1/users/${idOf(who)}`, { token })).body

  const verifyPassword = (email: string) => (password: string) =>
    iam('POST', '/verify_password', { body: { email, password } })
  const createToken = (email: string) => (password: string) =>
    iam('POST', '/api/v1/tokens', { body: { email, password } })
  const login = (kind: string, username: string) => (password: string) =>
    iam('POST', `/auth/${kind}/login`, { body: { username, password } })
  const ofPm = {
    entered: { status: 200, body: { valid: true, user: { id: String } } },
    refused: { status: 403, body: { message: 'User or password invalid' } },
  }
  const ofIam = {
    entered: { status: 200, body: { access_token: String, token_type: 'Bearer' } },
    refused: { status: 401, body: { code: 'invalid-credentials', detail: String } },
  }
  const ofScalable = {
    entered: { status: 200, body: { detail: 'Login successful', token: /^ey/ } },
    refused: { status: 401, body: { detail: 'Incorrect username or password' } },
  }
  const doors: readonly Door[] = [
    {
      who: '3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a61',
      hash: hashes['werkzeug pbkdf2'],
      enter: verifyPassword('moved.ada@acme.example'),
      ...ofPm,
    },
    {
      who: '3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a62',
      hash: hashes['werkzeug scrypt'],
      enter: verifyPassword('moved.charles@acme.example'),
      ...ofPm,
    },
    { who: '81', hash: hashes.bcrypt, enter: createToken('moved.b@example.com'), ...ofIam },
    { who: '82', hash: hashes['argon2 of passlib'], enter: createToken('moved.a@example.com'), ...ofIam },
    {
      who: '91',
      hash: hashes['argon2 of pwdlib'],
      enter: password => iam('POST', '/token', { form: { username: 'moved.grace', password } }),
      entered: { status: 200, body: { access_token: String, token_type: 'bearer' } },
      refused: { status: 401, body: { detail: 'Incorrect username or password', error: 'invalid_grant' } },
    },
    { who: '65e19c2a8f1b2c3d4e5f6a71', hash: hashes.bcrypt, enter: login('admin', 'moved-admin'), ...ofScalable },
    {
      who: '65e19c2a8f1b2c3d4e5f6a72',
      hash: hashes['bcrypt of another salt'],
      enter: login('client', 'moved-client'),
      ...ofScalable,
    },
    { who: '65e19c2a8f1b2c3d4e5f6a73', hash: hashes.bcrypt, enter: login('subclient', 'moved-desk'), ...ofScalable },
  ]

  await t.test('sign in with the password that they had, which is argon2id of ours from then on', async t => {
    for (const { who, hash, enter, entered, refused } of doors) {
      t.match(await enter('a wrong password'), refused, who)
      t.equal(await hashOf(who), hash, `${who}: as it came, whatever was tried`)
      t.match(await enter(oldPassword), entered, who)
      t.match(await hashOf(who), ours, who)
      t.match(await enter(oldPassword), entered, `${who}: by the hash of ours`)
      t.match(await enter('a wrong password'), refused, `${who}: by the hash of ours`)
    }
  })

  await t.test('sign in by a code where they had no password', async t => {
    const email = 'moved.advisor@example.com'
    await iam('POST', '/auth/request-otp', { body: { email } })
    t.match(await iam('POST', '/auth/verify-otp', { body: { email, otp: await readMail(email, /\b(\d{6})\b/) } }), {
      status: 200,
      body: { ok: true, user: { email, role: 'advisor' } },
    })
    t.equal(await hashOf('71'), undefined)
    await iam('POST', '/auth/otp/sendotp/9811100004')
    const otp = await codeFor(home.outbox, '+919811100004')
    const entered = await iam('POST', `/auth/user/login/9811100004/${otp}`)
    t.match(entered, ofScalable.entered)
    const { body: me } = await iam('GET', '/api/v1/me', { token: entered.body.token })
    t.equal(me.id, idOf('65e19c2a8f1b2c3d4e5f6a74'), 'nobody is made a second time')
  })

  await t.test('are what they were', async t => {
    t.match(await person('3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a61'), {
      email: 'moved.ada@acme.example',
      phone: '+33698765432',
      first_name: 'Ada',
      language: 'fr',
    })
    t.match((await createToken('moved.charles@acme.example')(oldPassword)).body, { password_change_required: true })
    t.match(await person('3f8b2c1e-6d47-4a59-8e10-7b9c5d2f4a63'), { status: 'suspended' })
    t.match(await verifyPassword('moved.idle@acme.example')(oldPassword), ofPm.refused)
    t.match(await person('91'), { name: 'Grace Hopper', username: 'moved.grace' })
    t.match(await person('65e19c2a8f1b2c3d4e5f6a71'), { phone: '+919811100001' })
    t.match(await person('65e19c2a8f1b2c3d4e5f6a72'), { phone: '+919811100002', kind: 'client' })
    t.match(await person('65e19c2a8f1b2c3d4e5f6a73'), { kind: 'sub_client' })
    t.match(await person('65e19c2a8f1b2c3d4e5f6a75'), { phone: '+33698765430' })
  })
}
