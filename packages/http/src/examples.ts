/**
 * The example of a body is made of the examples of its members, so that nobody writes one twice. A schema that says an example of
 * the whole keeps it; what a constant, a default or a well-known format says needs none.
 */

/** A JSON Schema, as the routes and the document carry it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly examples?: readonly unknown[]
  readonly example?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
}

export interface BuiltExample {
  readonly value: unknown
  /** Pointers to the members that say nothing from which an example can be made. */
  readonly missing: readonly string[]
}

const examplesOfFormats: Readonly<Record<string, string>> = {
  uuid: '0199a3c4-7d2e-7b61-9f0a-3c5d8e1f2a4b',
  'date-time': '2026-11-02T09:30:00.000Z',
  email: 'ada@example.com',
  uri: 'https://example.com/',
}

/** `find` gives the schema to which a `$ref` points. */
export function buildExample(schema: JsonSchema, find: (ref: string) => JsonSchema | undefined): BuiltExample {
  const missing: string[] = []
  const build = (part: JsonSchema, pointer: string): unknown => {
    const said = [...(part.examples ?? []), part.example, part['const'], part['default'], ...(part.enum ?? [])]
    const first = said.find(value => value !== undefined)
    if (first !== undefined) return first
    if (part.$ref !== undefined) return build(find(part.$ref) ?? {}, pointer)
    const choices = part.anyOf ?? part.oneOf
    if (choices !== undefined) return buildChoice(choices, pointer)
    if (Object.keys(part.properties ?? {}).length > 0) return buildMembers(part, part.properties ?? {}, pointer)
    if (part.type === 'null') return null
    if (part.type === 'boolean') return true
    if (part.type === 'array') return part.items === undefined ? [] : [build(part.items, `${pointer}/0`)]
    const byFormat = examplesOfFormats[String(part['format'])]
    if (byFormat !== undefined) return byFormat
    missing.push(pointer)
    return undefined
  }
  /** An optional member that says nothing is left out. */
  const buildMembers = (part: JsonSchema, properties: NonNullable<JsonSchema['properties']>, pointer: string) => {
    const members: [string, unknown][] = []
    for (const [name, member] of Object.entries(properties)) {
      const before = missing.length
      const value = build(member, `${pointer}/${name}`)
      if (missing.length === before) members.push([name, value])
      else if (!part.required?.includes(name)) missing.length = before
    }
    return Object.fromEntries(members)
  }
  /** The first choice that has an example: of a text or null, null, where nothing is said of the text. */
  const buildChoice = (choices: readonly JsonSchema[], pointer: string): unknown => {
    const before = missing.length
    for (const choice of choices) {
      missing.length = before
      const value = build(choice, pointer)
      if (missing.length === before) return value
    }
    return undefined
  }
  return { value: build(schema, ''), missing }
}
