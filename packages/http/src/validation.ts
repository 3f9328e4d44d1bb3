/**
 * A body is taken as it was sent: nothing is converted, nothing dropped, and an unknown member is refused. Query and
 * path are texts by nature and are converted.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { InputFault } from '@signet/kernel'

const settings = { allErrors: true, removeAdditional: false, useDefaults: true, strict: false } as const
const forBodies = addFormats.default(new Ajv({ ...settings, coerceTypes: false }))
const forTexts = addFormats.default(new Ajv({ ...settings, coerceTypes: true }))

/** All faults of one part of a request. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly faults: readonly InputFault[]
  constructor(faults: readonly InputFault[]) {
    super('The request is not valid')
    this.faults = faults
  }
}

type Validator = (data: unknown) => { value: unknown } | { error: InputError }

export function compileValidator(schema: object, part: string): Validator {
  const isBody = part === 'body'
  const validate: ValidateFunction = (isBody ? forBodies : forTexts).compile(schema)
  return data => {
    const faults = validate(data) ? [] : (validate.errors ?? []).map(error => describeFault(error, part))
    faults.push(...findUnstorableTexts(data, isBody ? '' : '?'))
    return faults.length === 0 ? { value: data } : { error: new InputError(distinct(faults)) }
  }
}

function describeFault(error: ErrorObject, part: string): InputFault {
  const missing = error.keyword === 'required' ? `/${error.params.missingProperty}` : ''
  const unknown = error.keyword === 'additionalProperties' ? `/${error.params.additionalProperty}` : ''
  const pointer = `${error.instancePath}${missing}${unknown}`
  const message =
    unknown !== ''
      ? 'is not a member that is known here'
      : missing !== ''
        ? 'is required'
        : error.keyword === 'enum'
          ? `must be one of ${(error.params.allowedValues as unknown[]).join(', ')}`
          : (error.message ?? 'is not valid')
  return { pointer: part === 'body' ? pointer : `?${pointer.slice(1)}`, message }
}

/** PostgreSQL stores neither NUL nor half a surrogate pair: refused here, by name, rather than as a fault of ours. */
function findUnstorableTexts(root: unknown, base: string): InputFault[] {
  const faults: InputFault[] = []
  const waiting: [value: unknown, pointer: string][] = [[root, base]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, pointer] = next
    if (typeof value === 'string') {
      if (value.includes('\0') || !value.isWellFormed())
        faults.push({ pointer, message: 'must not contain NUL or half a surrogate pair' })
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [name, member] of Object.entries(value))
        waiting.push([member, pointer === '?' ? `?${name}` : `${pointer}/${name}`])
    }
  }
  return faults
}

function distinct(faults: readonly InputFault[]): InputFault[] {
  const seen = new Set<string>()
  return faults.filter(({ pointer, message }) => {
    const key = `${pointer} ${message}`
    return !seen.has(key) && seen.add(key)
  })
}
