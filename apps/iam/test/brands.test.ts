/** What a person sees in the place of ours (white label). */
import { inTenant } from '@signet/db'
import { type BrandId, newId } from '@signet/kernel'
import t from 'tap'
import { testApp } from './test-app.ts'

const a = await testApp(t)
const inCompany = <T>(work: Parameters<typeof inTenant<T>>[2]) => inTenant(a.database.db, a.company, work)

async function aBrand(name: string) {
  const id = newId<BrandId>()
  await inCompany(
    ({ sql }) => sql`
      insert into brands (tenant_id, id, name, logo_url, primary_color)
      values (${a.company}, ${id}, ${name}, 'https://cdn.example.test/logo.png', '#0a7cff')`,
  )
  return id
}

t.test('the brand that a person sees', async t => {
  const { id: client } = await a.register({ email: 'client@example.com' })
  const { id: advisor } = await a.register({ email: 'advisor@example.com' })
  const tokens = await a.signIn('client@example.com')
  const brand = async () => (await a.call('GET', '/api/v1/me', { token: tokens.access_token })).body.brand
  const [ofTenant, ofAdvisor] = [await aBrand('House'), await aBrand('Harbour')]

  await t.test('is none at first, then that of the tenant', async t => {
    t.equal(await brand(), null)
    await inCompany(({ sql }) => sql`update tenants set brand_id = ${ofTenant} where id = ${a.company}`)
    t.same(await brand(), {
      id: ofTenant,
      name: 'House',
      logo_url: 'https://cdn.example.test/logo.png',
      primary_color: '#0a7cff',
    })
  })
  await t.test('is that of their advisor, who has the role and carries one', async t => {
    await inCompany(async ({ sql }) => {
      await sql`insert into advisor_clients (tenant_id, advisor_id, user_id) values (${a.company}, ${advisor}, ${client})`
      await sql`update memberships set brand_id = ${ofAdvisor} where user_id = ${advisor}`
    })
    t.match(await brand(), { id: ofTenant }, 'without the role they are nobody’s advisor')
    await inCompany(
      ({ sql }) => sql`
        insert into membership_roles (tenant_id, membership_id, role_id)
        select m.tenant_id, m.id, r.id from memberships m join roles r on r.tenant_id = m.tenant_id and r.name = 'advisor'
        where m.user_id = ${advisor}`,
    )
    t.match(await brand(), { id: ofAdvisor, name: 'Harbour' })
    await inCompany(({ sql }) => sql`update memberships set brand_id = null where user_id = ${advisor}`)
    t.match(await brand(), { id: ofTenant }, 'an advisor without a brand leaves that of the tenant')
  })
})
