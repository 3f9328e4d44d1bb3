// Small assertions for claims: a name, a value, the form it must have. A failure names the claim, never its value.

import { AuthError } from './errors.ts'

/** A string of at least one character. */
export function assertText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string' || value === '') refuse(name, 'must be a string that is not empty')
}

/**
 * A NumericDate (RFC 7519 section 2) in whole seconds. The RFC allows fractions; we refuse them, because the issuer
 * writes none and every implementation rounds them differently.
 */
export function assertDate(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) refuse(name, 'must be a whole number of seconds')
}

/** An array of strings, which may be empty. */
export function assertTexts(name: string, value: unknown): asserts value is readonly string[] {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string'))
    refuse(name, 'must be an array of strings')
}

/** A string, or an array of strings that is not empty (RFC 7519 section 4.1.3). */
export function assertAudience(value: unknown): asserts value is string | readonly string[] {
  if (typeof value === 'string') return
  assertTexts('aud', value)
  if (value.length === 0) refuse('aud', 'must name an audience')
}

/** An object that names a person: who acts for the subject (RFC 8693 section 4.1), or whose sub-client it is. */
export function assertActor(name: string, value: unknown): asserts value is { readonly sub: string } {
  assertText(`${name}.sub`, ownOf(name, value, 'sub'))
}

/** The client of a sub-client, with its roles. */
export function assertClient(
  value: unknown,
): asserts value is { readonly sub: string; readonly roles: readonly string[] } {
  assertActor('client', value)
  assertTexts('client.roles', ownOf('client', value, 'roles'))
}

/** Where it stands whether the session has ended; undefined for another mechanism, which nobody here follows. */
export function readStatusReference(value: unknown): { readonly idx: number; readonly uri: string } | undefined {
  const list = ownOf('status', value, 'status_list')
  if (list === undefined) return undefined
  const idx = ownOf('status.status_list', list, 'idx')
  if (!Number.isSafeInteger(idx) || (idx as number) < 0) refuse('status.status_list.idx', 'must be a whole number')
  const uri = ownOf('status.status_list', list, 'uri')
  assertText('status.status_list.uri', uri)
  return { idx: idx as number, uri }
}

function ownOf(name: string, value: unknown, member: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(name, 'must be an object')
  return Object.hasOwn(value, member) ? (value as Record<string, unknown>)[member] : undefined
}

function refuse(name: string, expectation: string): never {
  throw new AuthError('invalid_claims', `The claim ${name} ${expectation}.`)
}
