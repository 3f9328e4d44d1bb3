/** What a line says, or why it says nothing that can be used. Asks no database. */
import { checkPassword, findHashFault, wordsAbout } from '@signet/accounts'
import { compileValidator } from '@signet/http'
import { Problem } from '@signet/kernel'
import type { Line } from './line-reader.ts'
import { reportFailed } from './outcomes.ts'
import { type Candidate, type LineFault, type LineReport, PersonLine } from './schema.ts'

export type ParsedLine = { readonly candidate: Candidate } | { readonly report: LineReport }

const validate = compileValidator(PersonLine, 'body')

export function parseLine({ number, text, fault }: Line, minPasswordLength: number): ParsedLine {
  if (text === null) return refuse(number, [{ pointer: '', message: fault }])
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse(number, [{ pointer: '', message: 'is not JSON' }])
  }
  dropNulls(value)
  const verdict = validate(value)
  if ('error' in verdict) return refuse(number, verdict.error.faults, externalIdOf(value))
  const said = value as PersonLine
  const candidate = { ...said, line: number, ...(said.email === undefined ? {} : { email: said.email.toLowerCase() }) }
  const faults = findFaults(candidate, minPasswordLength)
  return faults.length === 0 ? { candidate } : refuse(number, faults, candidate.external_id)
}

/** A database writes null where it has nothing to say. */
function dropNulls(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const members = value as Record<string, unknown>
  for (const name of Object.keys(members)) if (members[name] === null) delete members[name]
}

function findFaults(person: Candidate, minPasswordLength: number): LineFault[] {
  const faults: LineFault[] = []
  const refuseIf = (isWrong: boolean, pointer: string, message: string) => {
    if (isWrong) faults.push({ pointer, message })
  }
  const { email, username, phone, password, password_hash: hash } = person
  const hasPassword = password !== undefined || hash !== undefined
  const isIdentified = email !== undefined || username !== undefined || phone !== undefined
  refuseIf(!isIdentified, '/email', 'is required where there is neither username nor phone')
  refuseIf(password !== undefined && hash !== undefined, '/password', 'stands beside password_hash: send one of them')
  refuseIf(person.must_change === true && !hasPassword, '/must_change', 'needs a password or its hash')
  refuseIf(person.email_verified === true && email === undefined, '/email_verified', 'needs an e-mail address')
  refuseIf(person.phone_verified === true && phone === undefined, '/phone_verified', 'needs a phone number')
  const isSubClient = person.kind === 'sub_client'
  refuseIf(isSubClient && person.client === undefined, '/client', 'is required for a sub-client')
  refuseIf(!isSubClient && person.client !== undefined, '/client', 'is for a sub-client alone')
  const hashFault = hash === undefined ? undefined : findHashFault(hash)
  if (hashFault !== undefined) faults.push({ pointer: '/password_hash', message: hashFault })
  const passwordFault = password === undefined ? undefined : findPasswordFault(password, person, minPasswordLength)
  if (passwordFault !== undefined) faults.push(passwordFault)
  return faults
}

function findPasswordFault(password: string, person: Candidate, minLength: number): LineFault | undefined {
  const { first_name: firstName, last_name: lastName, ...rest } = person
  try {
    checkPassword(password, { minLength, ownWords: wordsAbout({ ...rest, firstName, lastName }) })
    return undefined
  } catch (error) {
    if (error instanceof Problem) return { pointer: '/password', message: error.detail, code: error.code }
    throw error
  }
}

function refuse(line: number, faults: readonly LineFault[], externalId?: string): ParsedLine {
  return { report: reportFailed({ line, ...(externalId === undefined ? {} : { external_id: externalId }) }, faults) }
}

/** Repeated only where it could have been taken. */
function externalIdOf(value: unknown): string | undefined {
  const id: unknown = (value as { external_id?: unknown } | null)?.external_id
  return typeof id === 'string' && id.length <= 200 && id.isWellFormed() ? id : undefined
}
