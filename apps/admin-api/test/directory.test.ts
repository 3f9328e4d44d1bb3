import { inTenant } from '@signet/db'
import { newId } from '@signet/kernel'
import t from 'tap'
import { createWorld } from './world.ts'

const { database, cast, staff, admin, stranger, call } = await createWorld(t)

const refusal = (status: number, code: string) => ({ status, body: { code } })
const contact = {
  email: 'Contact@Riviere.example',
  contact_person: 'Jeanne Rivière',
  phone: '+33 1 23 45 67 89, ext. 12',
  address: '1 rue de la Paix\r\n75002 Paris',
}

for (const [list, entry, extra] of [
  ['customers', 'customer', {}],
  ['subcontractors', 'subcontractor', { description: 'Installs stations' }],
] as const) {
  t.test(list, async t => {
    const made = await call(admin, 'POST', list, { name: 'Rivière', ...contact, ...extra })
    const path = `${list}/${made.body.id}`

    await t.test('are kept as they were written', async t => {
      t.match(made, { status: 201, headers: { etag: '"1"', location: `/admin/v1/${path}` } })
      const { id: _id, created_at: _made, updated_at: _changed, ...members } = made.body
      t.strictSame(members, { name: 'Rivière', ...contact, ...extra })
      t.strictSame((await call(admin, 'GET', path)).body, made.body)
      const bare = (await call(admin, 'POST', list, { name: 'Rivière' })).body
      t.match(bare, { name: 'Rivière', email: null, contact_person: null, phone: null, address: null })
      t.equal(bare.description, entry === 'customer' ? undefined : '', 'only subcontractors are described')
    })
    await t.test('change by a merge patch, only while they are what the caller has read', async t => {
      t.match(await call(admin, 'PATCH', path, { name: 'X' }, { 'if-match': '"7"' }), refusal(412, 'version-mismatch'))
      const changed = await call(admin, 'PATCH', path, { phone: null, name: 'Fleuve' }, { 'if-match': '"1"' })
      t.match(changed, { status: 200, headers: { etag: '"2"' }, body: { ...contact, name: 'Fleuve', phone: null } })
      t.match(await call(admin, 'PATCH', path, { name: null }), refusal(400, 'invalid-input'))
      t.match(await call(admin, 'PATCH', path, {}), refusal(400, 'invalid-input'))
      const { items } = (await call(admin, 'GET', `audit-events?target_id=${made.body.id}`)).body
      t.match(items, [
        {
          action: `${entry}.modified`,
          target_type: entry,
          before: { name: 'Rivière' },
          after: { name: 'Fleuve', phone: null },
        },
        { action: `${entry}.created`, after: { name: 'Rivière', ...extra } },
      ])
      t.match(await call(admin, 'DELETE', path, undefined, { 'if-match': '"1"' }), refusal(412, 'version-mismatch'))
    })
    await t.test('are found by any of what is known of them', async t => {
      const keeper = await cast.addActor(await cast.addTenant(), { roles: ['admin'] })
      for (const name of ['b', 'A', 'c']) await call(keeper, 'POST', list, { name, email: `${name}@names.example` })
      await call(keeper, 'POST', list, { name: 'd', ...contact })
      for (const [query, names] of Object.entries({
        '': ['A', 'b', 'c', 'd'],
        'sort=-name': ['d', 'c', 'b', 'A'],
        'sort=created_at': ['b', 'A', 'c', 'd'],
        'q=NAMES.EXAMPLE': ['A', 'b', 'c'],
        'q=jeanne': ['d'],
        'q=ext.': ['d'],
        'q=paix': ['d'],
        'q=_': [],
        'name=A': ['A'],
        'email=CONTACT@riviere.example': ['d'],
      })) {
        const { items, total } = (await call(keeper, 'GET', `${list}?count=true&${query}`)).body
        t.strictSame(
          items.map((each: { name: string }) => each.name),
          names,
          query,
        )
        t.equal(total, names.length, query)
      }
      const page = await call(keeper, 'GET', `${list}?limit=3`)
      t.match((await call(keeper, 'GET', `${list}?limit=3&cursor=${page.body.next_cursor}`)).body, {
        items: [{ name: 'd' }],
        next_cursor: null,
      })
    })
    await t.test('I-02 are stored byte-equal or refused', async t => {
      const hostile = [
        "'; DROP TABLE customers; --",
        '<img src=x onerror=alert(1)>',
        '{{7*7}}',
        '\u202eevil',
        '日本 🚲',
        '=cmd()',
      ]
      for (const text of hostile) {
        const body = { name: text, contact_person: text, phone: text, address: text }
        const kept = await call(admin, 'POST', list, body)
        t.match((await call(admin, 'GET', `${list}/${kept.body.id}`)).body, body, text)
      }
      for (const [member, bad] of [
        ['phone', '1\n2'],
        ['phone', '+'.repeat(51)],
        ['contact_person', 'a\u0000b'],
        ['contact_person', 'a\r\nBcc: b@example.test'],
        ['name', 'a\u001b[31m'],
        ['address', 'a\u0007b'],
        ['address', 'x'.repeat(501)],
        ['email', 'a@b\n.example'],
        ['email', 'nobody'],
      ] as const) {
        const answer = await call(admin, 'POST', list, { name: 'Rivière', [member]: bad })
        t.match(
          answer,
          { status: 400, body: { code: 'invalid-input', errors: [{ pointer: `/${member}` }] } },
          `${member} ${bad}`,
        )
      }
    })
    await t.test('are gone when they are removed, and are of their tenant alone', async t => {
      t.match(await call(stranger, 'GET', path), refusal(404, `${entry}-not-found`))
      t.equal((await call(admin, 'DELETE', path)).status, 204)
      t.match(await call(admin, 'GET', path), refusal(404, `${entry}-not-found`))
      t.match(await call(admin, 'DELETE', `${list}/${newId()}`), refusal(404, `${entry}-not-found`))
    })
  })
}

t.test('X-03 a customer is no subcontractor, whichever path is asked', async t => {
  const { id } = (await call(admin, 'POST', 'customers', { name: 'One' })).body
  t.match(await call(admin, 'GET', `subcontractors/${id}`), refusal(404, 'subcontractor-not-found'))
  t.match(await call(admin, 'POST', 'customers', { name: 'One', description: 'x' }), refusal(400, 'invalid-input'))
  const page = await call(admin, 'GET', 'customers?limit=1')
  t.match(
    await call(admin, 'GET', `subcontractors?limit=1&cursor=${page.body.next_cursor}`),
    refusal(400, 'invalid-cursor'),
  )
})

t.test('a tenant that has any of the structure is in use', async t => {
  for (const [table, word] of [
    ['org_units', 'units'],
    ['positions', 'positions'],
    ['customers', 'customers'],
    ['subcontractors', 'subcontractors'],
  ] as const) {
    const tenant = await cast.addTenant()
    const named = { [table === 'positions' ? 'title' : 'name']: 'One' }
    await inTenant(
      database.db,
      tenant,
      ({ sql }) => sql`insert into ${sql(table)} ${sql({ tenant_id: tenant, id: newId(), ...named })}`,
    )
    const answer = await call(staff, 'DELETE', `tenants/${tenant}`)
    t.match(answer, refusal(409, 'tenant-in-use'), answer.text)
    t.match(answer.body.detail, `It has ${word}: 1.`)
  }
})
