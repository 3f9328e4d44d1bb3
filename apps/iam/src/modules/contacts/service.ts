/**
 * People change how they are reached by showing that the new address is theirs; there is no other way. Nobody learns here
 * whether somebody else has it, but whoever reads its mail.
 */
import { changeContact, findUser } from '@signet/accounts'
import { inTenant } from '@signet/db'
import { authorize, problem } from '@signet/kernel'
import { type Contact, readContact } from '../../contact.ts'
import type { Deps, RequestFacts } from '../../deps.ts'
import { selfPolicy } from '../me/index.ts'
import { requestCode, verifyCode } from '../otp/index.ts'
import type { Self } from '../sessions/index.ts'
import { deleteCodes } from './repo.ts'
import type { ContactConfirmation, ContactRequest } from './schema.ts'

const purpose = 'contact'
const maxAttempts = 5

/** Sends a code to the address, within the limits of codes. @throws Problem `invalid-input` */
export async function requestContact(
  deps: Deps,
  { userId }: Self,
  body: ContactRequest,
  request: RequestFacts,
): Promise<void> {
  const wanted = { ...readContact(body), purpose, userId, template: 'contact-code' } as const
  await requestCode(deps, { ...wanted, ttlSeconds: deps.codes.signInTtlSeconds, maxAttempts }, request)
}

/**
 * The address is the person's from now on, and verified. The one before is told, where it was verified, and codes that were
 * sent to it are worth nothing.
 * @throws Problem `invalid-input`, `invalid-code`, `email-taken`, `phone-taken`, `concurrent-change`
 */
export async function confirmContact(
  deps: Deps,
  self: Self,
  body: ContactConfirmation,
  request: RequestFacts,
): Promise<void> {
  const contact = readContact(body)
  const guess = { ...contact, purpose, userId: self.userId, codeText: body.code } as const
  const { outcome } = await verifyCode(deps, guess, request)
  if (outcome !== 'right') throw problem('invalid-code')
  await inTenant(deps.database, self.homeTenantId, async tx => {
    const user = await findUser(tx, self.userId)
    const grant = authorize(selfPolicy, 'users:modify', self, user)
    const { channel, destination } = contact
    const now = new Date(deps.clock())
    await changeContact(
      tx,
      grant,
      channel === 'email' ? { email: destination, emailVerifiedAt: now } : { phone: destination, phoneVerifiedAt: now },
    )
    const [former, wasVerified] =
      channel === 'email' ? [user.email, user.emailVerifiedAt !== null] : [user.phone, user.phoneVerifiedAt !== null]
    if (former === null || former === destination) return
    await deleteCodes(tx, user.id, { channel, destination: former })
    if (!wasVerified) return
    await deps.outbox.enqueue(tx, {
      channel,
      recipient: former,
      userId: user.id,
      template: 'contact-changed',
      data: { contact: shorten(contact) },
    })
  })
}

/** Enough to recognise an address that one has chosen, and too little to learn one. */
function shorten({ channel, destination }: Contact): string {
  if (channel === 'sms') return `…${destination.slice(-3)}`
  return `${destination.slice(0, 1)}…${destination.slice(destination.lastIndexOf('@'))}`
}
