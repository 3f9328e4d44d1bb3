/** Asks what people may do, by the roles of a bundle that is at hand: once it was fetched, no question leaves the process. */

import { createVerifier, type Principal } from '@signet/verifier'
import { createTestIssuer } from '@signet/verifier/testing'
import { roundCount, measureRate, type Work } from '../rounds.ts'
import { answerQuestions } from './answer-questions.ts'

export interface CanAnswer {
  /** Questions a second whose answer is yes; a round each. */
  readonly yes: readonly number[]
  /** The same where it is no. */
  readonly no: readonly number[]
}

const tenant = 'company'
const people = 16
const rolesEach = 5
const permissionsPerRole = 200
const roundMs = 400
const warmUpMs = 400

answerQuestions(async (): Promise<CanAnswer> => {
  const principals = await verifyPeople()
  const held = permissionsOf(0).filter((_, at) => at % 10 === 0)
  const foreign = held.map(permission => permission.replace(':', '-not-given:'))
  const works = [askAll(principals, held, true), askAll(principals, foreign, false)] as const
  for (const work of works) await measureRate(work, warmUpMs)
  const rates = { yes: [] as number[], no: [] as number[] }
  for (let round = 0; round < roundCount; round += 1) {
    rates.yes.push(await measureRate(works[0], roundMs))
    rates.no.push(await measureRate(works[1], roundMs))
  }
  return rates
})

/** People with five roles of a thousand permissions together, which no token carries. */
async function verifyPeople(): Promise<Principal[]> {
  const issuer = createTestIssuer()
  const roles = Array.from({ length: rolesEach }, (_, role) => ({
    name: `role-${role}`,
    permissions: permissionsOf(role),
  }))
  issuer.setBundle(tenant, { permissions: roles.flatMap(role => role.permissions), roles })
  const verifier = createVerifier({
    issuer: issuer.issuer,
    audience: issuer.audience,
    keys: { fetch: issuer.fetch },
    revocation: { mode: 'off' },
  })
  const claims = { tid: tenant, roles: roles.map(({ name }) => name), permissions: undefined }
  return Promise.all(Array.from({ length: people }, () => verifier.verify(issuer.token(claims))))
}

function permissionsOf(role: number): string[] {
  return Array.from({ length: permissionsPerRole }, (_, number) => `service-${role}-${number}:read`)
}

/** Everybody is asked everything; one wrong answer ends the measurement. */
function askAll(principals: readonly Principal[], permissions: readonly string[], expected: boolean): Work {
  const questions = principals.length * permissions.length
  return () => {
    let permitted = 0
    for (const principal of principals) {
      for (const permission of permissions) if (principal.can(permission)) permitted += 1
    }
    if (permitted !== (expected ? questions : 0)) throw new Error(`${permitted} of ${questions} were permitted.`)
    return questions
  }
}
