// The bundle as the issuer writes it, member by member. It is signed by the issuer; a form that we do not understand is
// refused as a whole, because half of a bundle would be read as all of it.

import type { Attachment, Bundle, BundlePolicy, BundleRole, BundleStatement } from './policies/bundle.ts'

type Json = Readonly<Record<string, unknown>>

/** @throws Error that names the member */
export function readBundle(tenant: string, payload: Json): Bundle {
  return {
    tenant,
    version: whole('version', payload['version']),
    permissions: texts('permissions', payload['permissions']),
    roles: list('roles', payload['roles'], readRole),
    policies: list('policies', payload['policies'], readPolicy),
  }
}

function readRole(role: Json): BundleRole {
  return {
    id: text('role.id', role['id']),
    name: text('role.name', role['name']),
    permissions: texts('role.permissions', role['permissions']),
  }
}

function readPolicy(policy: Json): BundlePolicy {
  return {
    id: text('policy.id', policy['id']),
    name: text('policy.name', policy['name']),
    source: text('policy.source', policy['source']),
    statements: list('policy.statements', policy['statements'], readStatement),
    attachments: list('policy.attachments', policy['attachments'], readAttachment),
  }
}

function readStatement({ number, line, effect, actions, is_template: isTemplate }: Json): BundleStatement {
  if (effect !== 'permit' && effect !== 'forbid') throw odd('statement.effect')
  if (typeof isTemplate !== 'boolean') throw odd('statement.is_template')
  return {
    number: whole('statement.number', number),
    line: whole('statement.line', line),
    effect,
    actions: actions === null ? null : texts('statement.actions', actions),
    isTemplate,
  }
}

function readAttachment({ type, id }: Json): Attachment {
  if (type !== 'user' && type !== 'role') throw odd('attachment.type')
  return { type, id: text('attachment.id', id) }
}

function list<T>(name: string, value: unknown, read: (item: Json) => T): T[] {
  if (!Array.isArray(value)) throw odd(name)
  return value.map(item => {
    if (typeof item !== 'object' || item === null) throw odd(name)
    return read({ __proto__: null, ...item })
  })
}

function texts(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw odd(name)
  return value.map(item => text(name, item))
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw odd(name)
  return value
}

function whole(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw odd(name)
  return value as number
}

function odd(name: string): Error {
  return new Error(`The bundle has no usable member ${name}.`)
}
