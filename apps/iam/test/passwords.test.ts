import t from 'tap'
import { password, testApp, type Tokens } from './test-app.ts'

const a = await testApp(t)
const claimsOf = (tokens: Pick<Tokens, 'access_token'>) =>
  JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
const credentialOf = async (id: string) =>
  a.asOwner(
    async sql =>
      (
        await sql<{ hash: string; must_change: boolean; changed_at: Date }[]>`
          select hash, must_change, changed_at from password_credentials where user_id = ${id}`
      )[0],
  )
const signIn = (identifier: string, text = password) => a.post('/api/v1/tokens', { identifier, password: text })
const someone = async (name: string) => ({
  ...(await a.register({ email: `${name}@example.com` })),
  tokens: await a.signIn(`${name}@example.com`),
})
const changePassword = (tokens: Pick<Tokens, 'access_token'>, next: string, current = password) =>
  a.call('PUT', '/api/v1/me/password', {
    token: tokens.access_token,
    body: { current_password: current, new_password: next },
  })

t.test('P-02 a hash that is not as ours are is made anew by a right sign-in', async t => {
  // Of the password of these tests: fewer passes and less memory, argon2i, argon2d, version 16, more of everything.
  const others = [
    '$argon2id$v=19$m=8192,t=1,p=1$MAG0Qef1g7Bu1xu9lB938g$x0QyDtcR8ICa3S0heYE5DRNS0rCDhfcC1uqCpc4YL9I',
    '$argon2i$v=19$m=19456,t=2,p=1$4fwyNfVc0lpdYC5YXn55kQ$cclMGEy8spGP5YvSllnMEnzgXDcQa2/+ApHuVtD6MSw',
    '$argon2d$v=19$m=19456,t=2,p=1$vTMtu29yFGszoOkFKeTx8Q$8JX5CjQ+2Myet+0elcUrwoUpqMRfLQOc2HHFrM9LKbk',
    '$argon2id$v=16$m=19456,t=2,p=1$5P42bbtGCTgpTyu36jes0w$F6MmSulmcobr7FfI0b052ncKRfNk1G6CZgu+iHn4V/Y',
    '$argon2id$v=19$m=65536,t=3,p=4$AKY2YCEClOTQ1lQS4J2KCg$1hlwarlvkuH1SngI9N19kbXv3h2YZdn2CT/cy5DypeU',
  ]
  const { id, email, tokens } = await someone('imported')
  const put = (hash: string) =>
    a.asOwner(
      sql =>
        sql`update password_credentials set hash = ${hash}, changed_at = '2020-01-01T00:00:00Z' where user_id = ${id}`,
    )
  for (const hash of others) {
    await put(hash)
    const set = await a.call('PUT', '/api/v1/me/refresh-key', {
      token: tokens.access_token,
      body: { key: 'seven quiet herons over the weir' },
    })
    t.equal(set.status, 204)
    t.equal((await signIn(email, 'a wrong password')).status, 401)
    t.equal((await credentialOf(id))?.hash, hash, 'a wrong password changes nothing')
    t.equal((await signIn(email)).status, 200)
    const after = await credentialOf(id)
    t.match(after?.hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, hash.slice(0, 30))
    t.equal(after?.changed_at.toISOString(), '2020-01-01T00:00:00.000Z', 'the password is as old as it was')
    const byKey = { identifier: email, key: 'seven quiet herons over the weir' }
    t.equal((await a.post('/api/v1/tokens/refresh-key', byKey)).status, 200, 'and what hangs on it lives on')
    const before = a.countHashes()
    t.equal((await signIn(email)).status, 200)
    t.equal(a.countHashes() - before, 1)
    t.equal((await credentialOf(id))?.hash, after?.hash, 'and it is made anew once')
  }
  await t.test('by eight sign-ins at once too, and all of them get in', async t => {
    await put(others[0] ?? '')
    const answers = await Promise.all(Array.from({ length: 8 }, () => signIn(email)))
    t.same(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    t.match((await credentialOf(id))?.hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })
  await t.test('but never over a password that changed meanwhile', async t => {
    for (let round = 0; round < 5; round += 1) {
      const racer = await someone(`upgrade-${round}`)
      await a.asOwner(sql => sql`update password_credentials set hash = ${others[0] ?? ''} where user_id = ${racer.id}`)
      const [changed] = await Promise.all([
        changePassword(racer.tokens, 'nine blue herons'),
        ...Array.from({ length: 3 }, () => signIn(racer.email)),
      ])
      const now = changed.status === 204 ? 'nine blue herons' : password
      t.equal((await signIn(racer.email, now)).status, 200, `${changed.status}`)
      t.equal((await signIn(racer.email, now === password ? 'nine blue herons' : password)).status, 401)
    }
  })
})

t.test('a change of the password', async t => {
  await t.test('is told to the address of the person, without the password', async t => {
    const { email, tokens } = await someone('noticed')
    t.equal((await changePassword(tokens, 'nine blue herons', 'wrong')).status, 401)
    t.same(await a.messagesTo(email), [], 'nothing where nothing has changed')
    t.equal((await changePassword(tokens, 'nine blue herons')).status, 204)
    t.match(await a.messagesTo(email), [{ template: 'password-changed', status: 'queued', data: {} }])
  })
  await t.test('works for whoever has no address', async t => {
    await a.register({ username: 'mute' })
    t.equal((await changePassword(await a.signIn('mute'), 'nine blue herons')).status, 204)
  })
})

t.test('while a temporary password has to be changed', async t => {
  const { id, email } = await someone('temporary')
  const membership = await a.asOwner(
    async sql => (await sql<{ id: string }[]>`select id from memberships where user_id = ${id}`)[0]?.id,
  )
  await a.asOwner(
    sql => sql`
      insert into membership_roles (tenant_id, membership_id, role_id)
      select tenant_id, ${membership ?? ''}, id from roles where tenant_id = ${a.company} and name = 'admin'`,
  )
  await a.asOwner(sql => sql`update password_credentials set must_change = true where user_id = ${id}`)
  const answer = await signIn(email)
  t.match(answer, { status: 200, body: { password_change_required: true } })
  const { access_token: token, refresh_token: refresh } = answer.body
  await t.test('tokens carry nothing that a service could go by', async t => {
    t.match(claimsOf(answer.body), { roles: [], permissions: [] })
    const renewed = await a.post('/api/v1/tokens/refresh', { refresh_token: refresh })
    t.match(renewed, { status: 200, body: { password_change_required: true } })
    t.match(claimsOf(renewed.body), { roles: [], permissions: [] })
  })
  await t.test('nothing can be done but to look, sign out, and choose a password', async t => {
    const call = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object) =>
      a.call(method, url, { token, ...(body === undefined ? {} : { body }) })
    const refused = [
      await call('PATCH', '/api/v1/me', { name: 'Ada' }),
      await call('POST', `/api/v1/me/memberships/${a.company}/accept`),
      await call('POST', '/api/v1/tokens/tenant', { tenant_id: a.company }),
      await call('PUT', '/api/v1/me/refresh-key', { key: 'seven quiet herons over' }),
      await call('DELETE', '/api/v1/me/refresh-key'),
    ]
    for (const { status, body } of refused)
      t.match({ status, body }, { status: 403, body: { code: 'password-change-required' } })
    t.match(await call('POST', '/user/access/setrefreshkey/1234'), { status: 403, body: { detail: /./ } })
    t.match(await call('GET', '/api/v1/me'), { status: 200, body: { password_change_required: true } })
    t.match(await call('GET', '/api/v1/sessions'), { status: 200 })
    t.equal((await call('DELETE', '/api/v1/sessions')).status, 204)
  })
  await t.test('every guarded route either needs the change first or says why it does not', async t => {
    const exempt = [
      'GET /api/v1/me',
      // The same, for callers of an older system.
      'GET /auth/user',
      'PUT /api/v1/me/password',
      'GET /api/v1/sessions',
      'DELETE /api/v1/sessions',
      'DELETE /api/v1/sessions/{id}',
    ]
    const { paths = {} } = a.app.swagger() as {
      paths?: Record<string, Record<string, { security?: object[]; requestBody?: object }>>
    }
    const open: string[] = []
    for (const [url, methods] of Object.entries(paths)) {
      for (const [method, { security = [], requestBody }] of Object.entries(methods)) {
        const name = `${method.toUpperCase()} ${url}`
        if (!security.some(each => 'bearer' in each) || requestBody !== undefined || exempt.includes(name)) continue
        const path = url.replaceAll(/\{new_key\}/g, '1234').replaceAll(/\{\w+\}/g, a.company)
        const refused = await a.call(method.toUpperCase() as 'GET', path, { token })
        if (refused.status !== 403) open.push(`${name} ${refused.status}`)
      }
    }
    t.same(open, [])
  })
  await t.test('the change opens everything again', async t => {
    t.match(await a.call('PATCH', '/api/v1/me', { token, body: { name: 'Ada' } }), { status: 403 })
    t.equal((await changePassword({ access_token: token }, 'nine blue herons')).status, 204)
    t.equal((await credentialOf(id))?.must_change, false)
    t.equal((await a.call('PATCH', '/api/v1/me', { token, body: { name: 'Ada' } })).status, 200)
    const again = await signIn(email, 'nine blue herons')
    t.notOk('password_change_required' in again.body)
    t.match(claimsOf(again.body), { roles: ['admin', 'member'] })
  })
})
