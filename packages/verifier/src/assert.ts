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
  if (!Array.isArray(value)) refuse(name, 'must be an array of strings')
  for (const item of value) {
    if (typeof item !== 'string') refuse(name, 'must be an array of strings')
  }
}

/** A string, or an array of strings that is not empty (RFC 7519 section 4.1.3). */
export function assertAudience(value: unknown): asserts value is string | readonly string[] {
  if (typeof value === 'string') return
  assertTexts('aud', value)
  if (value.length === 0) refuse('aud', 'must name an audience')
}

/** An object that names who acts for the subject (RFC 8693 section 4.1). */
export function assertActor(value: unknown): asserts value is { readonly sub: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('act', 'must be an object')
  assertText('act.sub', Object.hasOwn(value, 'sub') ? (value as { sub?: unknown }).sub : undefined)
}

function refuse(name: string, expectation: string): never {
  throw new AuthError('invalid_claims', `The claim ${name} ${expectation}.`)
}
