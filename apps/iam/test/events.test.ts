import t from 'tap'
import { password, testApp } from './test-app.ts'

t.test('events, where a service takes them', async t => {
  const a = await testApp(t, { deps: { sendsEvents: true } })
  const told = async () => (await a.messagesTo('analytics')).map(({ template, data }) => ({ template, data }))

  await t.test('tell of each person who registers, without their address', async t => {
    const { id } = await a.register({ email: 'ada@example.com' })
    t.strictSame(await told(), [
      { template: 'user.created', data: { payload: { user_id: id, tenant_id: a.company, kind: 'user' } } },
    ])
  })
  await t.test('tell of nobody who was refused', async t => {
    const before = await told()
    t.equal((await a.post('/api/v1/users', { email: 'ada@example.com', password })).status, 409)
    t.equal((await a.post('/api/v1/tokens', { email: 'ada@example.com', password: 'wrong' })).status, 401)
    t.strictSame(await told(), before)
  })
  await t.test('tell of each sign-in', async t => {
    await a.signIn('ada@example.com')
    t.match((await told())[0], { template: 'user.login', data: { payload: { tenant_id: a.company, way: 'password' } } })
  })
})

t.test('no event is written where nobody takes them', async t => {
  const a = await testApp(t)
  await a.register({ email: 'ada@example.com' })
  await a.signIn('ada@example.com')
  t.strictSame(await a.messagesTo('analytics'), [])
})
