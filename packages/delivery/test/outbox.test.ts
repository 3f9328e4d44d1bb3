import { runStatement } from '@signet/db'
import type { MessageId } from '@signet/kernel'
import t from 'tap'
import { nextAttemptMs } from '../src/back-off.ts'
import { claimMessage, listMessages, retryMessages, settleMessage } from '../src/outbox-repo.ts'
import { codeData, testOutbox } from './test-outbox.ts'

const { test, send, find, makeDue, expire, addPerson, outbox, tenantId } = await testOutbox(t)
const { db } = test
const leaseMs = 60_000
const claim = () => claimMessage(db, 'email', leaseMs)

async function claimed() {
  const message = await claim()
  if (message === undefined) throw new Error('Nothing was due.')
  return message
}

t.test('a message', async t => {
  await t.test('is claimed with its person’s name and language, and its words sealed', async t => {
    const userId = await addPerson({ firstName: 'Zoé', lastName: 'Martin', language: 'fr' })
    const id = await send({ recipient: 'zoe@example.com', userId })
    const message = await claimed()
    t.match(message, { id, tenantId, recipient: 'zoe@example.com', template: 'sign-in-code', attempts: 1 })
    t.match(message, { personName: 'Zoé Martin', language: 'fr', expiresAt: null })
    t.notOk(Buffer.from(message.payload).includes(codeData.code))
    t.same(outbox.unseal(message.id, message.payload), codeData)
    t.match(await find(id), { status: 'sending', attempts: 1, isDue: false })
    t.ok(await settleMessage(db, message, { kind: 'sent' }))
    t.match(await find(id), { status: 'sent', hasPayload: false }, 'what it said is gone')
    t.equal(await claim(), undefined)
  })
  await t.test('to nobody known has neither name nor language', async t => {
    await send({ recipient: 'a@example.com' })
    const message = await claimed()
    t.match(message, { personName: null, language: null })
    await settleMessage(db, message, { kind: 'sent' })
  })
  await t.test('is claimed again when the lease is over, and only the last attempt counts', async t => {
    const id = await send({ recipient: 'a@example.com' })
    const first = await claimed()
    t.equal(await claim(), undefined)
    await makeDue(id)
    const second = await claimed()
    t.match([first.id, second.id, second.attempts], [id, id, 2])
    t.notOk(await settleMessage(db, first, { kind: 'dead', error: 'slow' }), 'it is not ours any more')
    t.match(await find(id), { status: 'sending', lastError: null })
    t.ok(await settleMessage(db, second, { kind: 'sent' }))
    t.notOk(await settleMessage(db, second, { kind: 'retry', error: 'twice', afterMs: 0 }), 'nor once it is sent')
  })
  await t.test('that failed is due again after its pause, oldest first', async t => {
    const slow = await send({ recipient: 'a@example.com' })
    await settleMessage(db, await claimed(), { kind: 'retry', error: 'SMTP 451', afterMs: 3_600_000 })
    t.match(await find(slow), { status: 'queued', attempts: 1, hasPayload: true, lastError: 'SMTP 451', isDue: false })
    t.equal(await claim(), undefined)
    await makeDue(slow)
    const fresh = await send({ recipient: 'b@example.com' })
    t.same([(await claimed()).id, (await claimed()).id], [slow, fresh])
    for (const id of [slow, fresh]) await makeDue(id)
    for (const message of [await claimed(), await claimed()]) await settleMessage(db, message, { kind: 'sent' })
  })
  await t.test('of one channel is not claimed for another', async t => {
    await send({ recipient: '+14155552671', channel: 'sms' })
    t.equal(await claim(), undefined)
    const message = await claimMessage(db, 'sms', leaseMs)
    t.equal(message?.recipient, '+14155552671')
    if (message !== undefined) await settleMessage(db, message, { kind: 'sent' })
  })
  await t.test('D-06 that has expired is marked and never claimed, also after a failure', async t => {
    const ids: MessageId[] = []
    for (const recipient of ['a@example.com', 'b@example.com', 'c@example.com']) {
      ids.push(await send({ recipient, expiresAt: new Date(Date.now() - 1) }))
    }
    const good = await send({ recipient: 'd@example.com', expiresAt: new Date(Date.now() + 60_000) })
    const message = await claimed()
    t.equal(message.id, good, 'they do not stand in the way')
    for (const id of ids) t.match(await find(id), { status: 'expired', attempts: 0, hasPayload: false })
    await settleMessage(db, message, { kind: 'retry', error: 'SMTP 451', afterMs: 0 })
    await expire(good)
    t.equal(await claim(), undefined)
    t.match(await find(good), { status: 'expired', hasPayload: false })
  })
  await t.test('sixteen who claim at once get one each', async t => {
    for (let count = 0; count < 5; count += 1) await send({ recipient: `${count}@example.com` })
    const got = (await Promise.all(Array.from({ length: 16 }, claim))).filter(each => each !== undefined)
    t.equal(new Set(got.map(each => each.id)).size, 5)
    t.equal(got.length, 5)
    for (const message of got) await settleMessage(db, message, { kind: 'sent' })
  })
})

t.test('a message that was given up', async t => {
  const giveUp = async (recipient: string) => {
    const id = await send({ recipient })
    await settleMessage(db, await claimed(), { kind: 'dead', error: 'SMTP 550' })
    return id
  }
  await t.test('keeps what it says, is listed without it, and is sent once somebody asks for it', async t => {
    const id = await giveUp('gone@example.com')
    t.match(await find(id), { status: 'dead', hasPayload: true })
    t.equal(await claim(), undefined)
    const [listed] = await listMessages(db, ['dead'], 10)
    t.match(listed, { id, recipient: 'gone@example.com', status: 'dead', attempts: 1, lastError: 'SMTP 550' })
    t.notOk(Object.keys(listed ?? {}).includes('payload'))
    t.equal(await retryMessages(db, id), 1)
    t.equal(await retryMessages(db, id), 0, 'it is not dead any more')
    const again = await claimed()
    t.match([again.id, again.attempts], [id, 1])
    await settleMessage(db, again, { kind: 'sent' })
  })
  await t.test('is queued again with all others', async t => {
    await giveUp('a@example.com')
    await giveUp('b@example.com')
    t.equal(await retryMessages(db, null), 2)
    t.equal((await listMessages(db, ['queued', 'sending'], 10)).length, 2)
    t.equal((await listMessages(db, ['queued', 'sending'], 1)).length, 1, 'as many as were asked for')
  })
})

t.test('nobody but the functions changes the outbox, and no tenant sees another’s', async t => {
  const write = runStatement(db, sql => sql`update outbound_messages set recipient = 'thief@example.com'`)
  await t.rejects(write, { code: '42501' })
  t.same([...(await runStatement(db, sql => sql`select id from outbound_messages`))], [])
})

t.test('the next attempt', async t => {
  const nowMs = Date.parse('2026-11-20T10:00:00Z')
  const failed = { attempts: 1, createdAt: new Date(nowMs), expiresAt: null }
  const most = () => 1 - Number.EPSILON
  await t.test('comes within a second, then two, then four, and at last a quarter of an hour', async t => {
    const seconds = [1, 2, 3, 10, 11, 40, 5_000].map(attempts =>
      Math.round((nextAttemptMs({ ...failed, attempts }, nowMs, most) ?? NaN) / 1_000),
    )
    t.same(seconds, [1, 2, 4, 512, 900, 900, 900])
  })
  await t.test('comes at any moment up to then, so that what failed together is spread', async t => {
    t.equal(
      nextAttemptMs({ ...failed, attempts: 5 }, nowMs, () => 0),
      0,
    )
    t.equal(
      nextAttemptMs({ ...failed, attempts: 5 }, nowMs, () => 0.5),
      8_000,
    )
  })
  await t.test('does not come once both a day and twelve attempts have passed', async t => {
    const day = 24 * 3_600_000
    const after = (attempts: number, ms: number) => nextAttemptMs({ ...failed, attempts }, nowMs + ms, most)
    t.equal(after(12, day), undefined)
    t.type(after(11, day), 'number', 'the worker was away')
    t.type(after(200, day - 1), 'number', 'the server was away')
  })
  await t.test('comes while what it says is still worth something', async t => {
    const expiresAt = new Date(nowMs + 60_000)
    t.equal(nextAttemptMs({ ...failed, attempts: 10, expiresAt }, nowMs, most), 30_000)
    t.equal(nextAttemptMs({ ...failed, attempts: 10, expiresAt }, nowMs + 59_900, most), 1_000)
  })
})
