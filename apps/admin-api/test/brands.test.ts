import t from 'tap'
import { createWorld } from './world.ts'

const world = await createWorld(t)
const { cast, company, admin, stranger, call } = world

const aBrand = async (name: string, members: object = {}) => {
  const answer = await call(admin, 'POST', 'brands', { name, ...members })
  t.equal(answer.status, 201, answer.text)
  return answer.body as { id: string }
}
const anAdvisor = () => cast.addPerson(company, { roles: ['advisor'] })

t.test('a brand', async t => {
  await t.test('has a name, a logo and a colour, and is changed by a merge patch', async t => {
    const made = await call(admin, 'POST', 'brands', {
      name: 'Harbour',
      logo_url: 'https://cdn.example.test/harbour.png?v=2',
      primary_color: '#0a7cff',
    })
    t.match(made, { status: 201, headers: { location: `/admin/v1/brands/${made.body.id}`, etag: '"1"' } })
    const changed = await call(admin, 'PATCH', `brands/${made.body.id}`, { logo_url: null }, { 'if-match': '"1"' })
    t.match(changed, {
      status: 200,
      headers: { etag: '"2"' },
      body: { name: 'Harbour', logo_url: null, primary_color: '#0a7cff' },
    })
    const late = await call(admin, 'PATCH', `brands/${made.body.id}`, { name: 'Late' }, { 'if-match': '"1"' })
    t.match(late, { status: 412, body: { code: 'version-mismatch' } })
    t.same((await call(admin, 'GET', `brands/${made.body.id}`)).body, changed.body)
  })

  await t.test('has a name of its own in its tenant, and in another tenant the same', async t => {
    await aBrand('Twice')
    t.match(await call(admin, 'POST', 'brands', { name: 'Twice' }), { status: 409, body: { code: 'brand-name-taken' } })
    const { id } = await aBrand('Once')
    t.match(await call(admin, 'PATCH', `brands/${id}`, { name: 'Twice' }), { body: { code: 'brand-name-taken' } })
    t.equal((await call(stranger, 'POST', 'brands', { name: 'Twice' })).status, 201)
  })

  await t.test('takes no logo that is not https, and no colour in another form', async t => {
    for (const logo_url of [
      'http://cdn.example.test/a.png',
      'javascript:alert(1)',
      'data:image/png;base64,AAAA',
      'https://user:secret@cdn.example.test/a.png',
      'https://cdn.example.test/a b.png',
      '//cdn.example.test/a.png',
      'https:///a.png',
      '',
    ]) {
      const answer = await call(admin, 'POST', 'brands', { name: 'Faulty', logo_url })
      t.match(answer, { status: 400, body: { errors: [{ pointer: '/logo_url' }] } }, logo_url)
    }
    for (const primary_color of ['red', '#fff', '#0A7CFF', '#0a7cff;', 'url(x)'])
      t.match(await call(admin, 'POST', 'brands', { name: 'Faulty', primary_color }), {
        status: 400,
        body: { errors: [{ pointer: '/primary_color' }] },
      })
  })

  await t.test('is found by a part of its name, and made once for one key', async t => {
    const key = { 'idempotency-key': 'brand-once' }
    const first = await call(admin, 'POST', 'brands', { name: 'Lighthouse' }, key)
    t.same((await call(admin, 'POST', 'brands', { name: 'Lighthouse' }, key)).body, first.body)
    const found = await call(admin, 'GET', 'brands?q=lightH&count=true')
    t.match(found.body, { total: 1, items: [{ id: first.body.id }] })
  })
})

t.test('who carries a brand', async t => {
  await t.test('is one advisor and another, each with one brand', async t => {
    const [one, two] = [await aBrand('One'), await aBrand('Two')]
    const advisor = await anAdvisor()
    for (const brand of [one, two, two])
      t.equal((await call(admin, 'PUT', `brands/${brand.id}/advisors/${advisor.userId}`)).status, 204)
    t.equal((await call(admin, 'DELETE', `brands/${one.id}`)).status, 204, 'the former is free')
    const refused = await call(admin, 'DELETE', `brands/${two.id}`)
    t.match(refused, { status: 409, body: { code: 'brand-in-use', detail: new RegExp(advisor.userId) } })
    t.equal((await call(admin, 'DELETE', `brands/${two.id}/advisors/${advisor.userId}`)).status, 204)
    t.equal((await call(admin, 'DELETE', `brands/${two.id}`)).status, 204)
  })

  await t.test('is the tenant, by its own change', async t => {
    const brand = await aBrand('House')
    const carried = await call(admin, 'PATCH', `tenants/${company}`, { brand_id: brand.id })
    t.match(carried, { status: 200, body: { brand_id: brand.id, has_logo: false } })
    t.match(await call(admin, 'DELETE', `brands/${brand.id}`), {
      status: 409,
      body: { code: 'brand-in-use', detail: 'It is carried by the tenant itself.' },
    })
    t.match(await call(admin, 'PATCH', `tenants/${company}`, { brand_id: null }), { body: { brand_id: null } })
    t.equal((await call(admin, 'DELETE', `brands/${brand.id}`)).status, 204)
  })

  await t.test('T-04 carries no brand of another tenant', async t => {
    const foreign = (await call(stranger, 'POST', 'brands', { name: 'Foreign' })).body.id
    const notFound = { status: 404, body: { code: 'brand-not-found' } }
    t.match(await call(admin, 'PATCH', `tenants/${company}`, { brand_id: foreign }), notFound)
    t.match(await call(admin, 'PUT', `brands/${foreign}/advisors/${(await anAdvisor()).userId}`), notFound)
  })

  await t.test('has the role advisor', async t => {
    const brand = await aBrand('Role')
    const person = await cast.addPerson(company)
    t.match(await call(admin, 'PUT', `brands/${brand.id}/advisors/${person.userId}`), {
      status: 404,
      body: { code: 'advisor-not-found' },
    })
  })

  await t.test('X-02 is not for somebody to say who holds less than the advisor', async t => {
    const brand = await aBrand('Strong')
    const clerk = await cast.addActor(company, { permissions: ['brands:read', 'brands:modify'] })
    const strong = await cast.addPerson(company, { roles: ['advisor'], permissions: ['audit-events:read'] })
    for (const method of ['PUT', 'DELETE'] as const)
      t.match(await call(clerk, method, `brands/${brand.id}/advisors/${strong.userId}`), {
        status: 403,
        body: { code: 'forbidden', detail: /audit-events:read/ },
      })
  })

  await t.test('keeps a brand that is carried at the moment of its removal', async t => {
    const brand = await aBrand('Race')
    const advisors = await Promise.all(Array.from({ length: 16 }, anAdvisor))
    const answers = await Promise.all([
      ...advisors.map(({ userId }) => call(admin, 'PUT', `brands/${brand.id}/advisors/${userId}`)),
      call(admin, 'DELETE', `brands/${brand.id}`),
    ])
    const [removal, carried] = [answers.at(-1), answers.slice(0, -1).filter(({ status }) => status === 204)]
    t.ok(
      answers.every(({ status }) => [204, 404, 409].includes(status)),
      answers.map(({ status }) => status).join(' '),
    )
    t.equal(removal?.status === 204, carried.length === 0, 'it is gone, or somebody carries it')
  })
})
