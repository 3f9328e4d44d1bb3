/** What the guide shows works as it stands there. */
import { readFileSync } from 'node:fs'
import { inTenant } from '@signet/db'
import t from 'tap'
import { createWorld, type Method } from './world.ts'

const guide = readFileSync(new URL('../docs/policies.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text }))
const world = await createWorld(t)
const { database, cast, company, admin, staff, call } = world

for (const code of ['invoices:read', 'invoices:modify']) {
  await call(staff, 'POST', 'permissions', { code, service: 'billing' })
}
const ids: Record<string, string> = {
  PERSON: (await cast.addPerson(company)).userId,
  ROLE: await cast.addRole(company, []),
}
const fillIn = (text: string) => text.replaceAll(/\b(PERSON|ROLE|POLICY)\b/g, name => ids[name] ?? name)

t.test('the commands of the guide, in their order', async t => {
  const commands = blocks.flatMap(({ kind, text }) => (kind === 'sh' ? text.split(/^(?=curl )/m) : []))
  t.equal(commands.length, 5)
  for (const command of commands) {
    const [, method = '', path = ''] = /^curl -X (\w+) "\$ADMIN([^"]+)"/.exec(command) ?? []
    const [, body] = /-d '([^]*)'$/.exec(command.trim()) ?? []
    const answer = await call(admin, method as Method, fillIn(path), body === undefined ? undefined : fillIn(body))
    t.ok(answer.status < 300, `${path} ${answer.status}`)
    if (path.endsWith('/policies')) ids['POLICY'] = answer.body.id
    if (path.endsWith('/evaluation')) {
      t.match(answer.body, { decision: true })
      const foreign = fillIn(body ?? '').replace(/"owner_id": "[^"]+"/, '"owner_id": "somebody else"')
      t.match((await call(admin, 'POST', path, foreign)).body, { decision: false })
    }
    if (path.endsWith('/validate')) {
      const shown = blocks.find(({ text }) => text.includes('"valid": false'))
      t.same(answer.body, JSON.parse(shown?.text ?? ''), 'answers as shown')
    }
  }
})

t.test('the texts and bodies of the guide', async t => {
  const texts = blocks.filter(({ kind }) => kind === 'cedar')
  t.equal(texts.length, 4)
  for (const { text } of texts) {
    const { body } = await call(admin, 'POST', 'policies/validate', { source: text })
    t.match(body, { valid: true, errors: [] }, text)
  }
  const bodies = blocks
    .flatMap(({ kind, text }) => (kind === 'json' ? [JSON.parse(text)] : []))
    .filter(body => body.name)
  t.equal(bodies.length, 1)
  for (const body of bodies) t.equal((await call(admin, 'POST', 'policies', body)).status, 201)
  const [count] = await inTenant(
    database.db,
    company,
    ({ sql }) =>
      sql<{ events: number }[]>`select count(*)::int as events from audit_events where action = 'policy.created'`,
  )
  t.equal(count?.events, 2, 'nothing but what the guide creates')
})
