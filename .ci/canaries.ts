// Searches what a run has logged for the secrets that its tests have seen (packages/testkit/src/canaries.ts writes both).
// A report names the file and the kind of the secret, never the secret.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Canary {
  readonly kind: string
  readonly value: string
}

export interface Find {
  /** The log that holds it. */
  readonly file: string
  readonly kind: string
  /** How it is written there. */
  readonly form: string
}

export interface Search {
  readonly canaries: number
  readonly logs: number
  readonly bytes: number
  readonly finds: readonly Find[]
}

/** What has to be in each run of the whole suite. */
export function isEmpty({ canaries, logs }: Search): boolean {
  return canaries === 0 || logs === 0
}

/** @param texts more to search beside the logs of the folder, by name */
export function searchForCanaries(folder: string, texts: Readonly<Record<string, string>>): Search {
  const names = readdirSync(folder)
  const canaries = new Map<string, Canary>()
  for (const name of names.filter(each => each.endsWith('.canaries'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')) {
      const canary = JSON.parse(line) as Canary
      canaries.set(canary.value, canary)
    }
  }
  const logs = names.filter(each => each.endsWith('.log'))
  const finder = new Finder([...canaries.values()])
  const finds: Find[] = []
  let bytes = 0
  const look = (file: string, text: string) => {
    bytes += text.length
    for (const { kind, form } of finder.find(text)) finds.push({ file, kind, form })
  }
  for (const name of logs) look(name, readFileSync(join(folder, name), 'latin1'))
  for (const [name, text] of Object.entries(texts)) look(name, Buffer.from(text).toString('latin1'))
  return { canaries: canaries.size, logs: logs.length, bytes, finds }
}

type Kind = Pick<Find, 'kind' | 'form'>

/** Thousands of texts in megabytes of logs: one pass, with a rolling hash over the end of each text. */
const window = 8
const base = 16_777_619
const topFactor = Array.from({ length: window - 1 }).reduce<number>(factor => Math.imul(factor, base), 1)

class Finder {
  readonly #byHash = new Map<number, [text: string, kind: Kind][]>()
  /** Which of the lowest 22 bits of a hash occur: nearly every place in a log is passed over after one look. */
  readonly #bits = new Uint8Array(1 << 22)
  readonly #codes = new Map<string, Kind>()

  constructor(canaries: readonly Canary[]) {
    for (const { kind, value } of canaries) {
      const isCode = /^\d{6}$/.test(value)
      if (isCode) this.#codes.set(value, { kind, form: 'plain' })
      for (const [form, text] of formsOf(value)) if (text.length >= window) this.#add(text, { kind, form })
    }
  }

  /** Each kind and form once. */
  find(text: string): Kind[] {
    const found = new Map<string, Kind>()
    const note = (kind: Kind) => found.set(`${kind.kind} ${kind.form}`, kind)
    let hash = 0
    for (let end = 0; end < text.length; end += 1) {
      if (end >= window) hash = (hash - Math.imul(text.charCodeAt(end - window) + 1, topFactor)) | 0
      hash = (Math.imul(hash, base) + text.charCodeAt(end) + 1) | 0
      if (end < window - 1 || this.#bits[hash & 0x3fffff] === 0) continue
      for (const [wanted, kind] of this.#byHash.get(hash) ?? []) if (text.endsWith(wanted, end + 1)) note(kind)
    }
    // Six digits by themselves: those of a time, an id or a port are no code, and a process may have six.
    for (const [digits] of text.replaceAll(/"pid":\d+/g, '').matchAll(/(?<![\w.-])\d{6}(?![\w-])/g)) {
      const kind = this.#codes.get(digits)
      if (kind !== undefined) note(kind)
    }
    return [...found.values()]
  }

  #add(text: string, kind: Kind): void {
    let hash = 0
    for (const character of text.slice(-window)) hash = (Math.imul(hash, base) + character.charCodeAt(0) + 1) | 0
    this.#bits[hash & 0x3fffff] = 1
    const others = this.#byHash.get(hash)
    if (others === undefined) this.#byHash.set(hash, [[text, kind]])
    else others.push([text, kind])
  }
}

/** A secret as a log may hold it: as it is, in JSON, in an address, in base64 wherever it begins. */
function formsOf(value: string): [form: string, text: string][] {
  const texts: [form: string, text: string][] = [
    ['plain', value],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ['percent-encoded', encodeURIComponent(value)],
    ['form-encoded', new URLSearchParams([['', value]]).toString().slice(1)],
    ...[0, 1, 2].flatMap((shift): [string, string][] => {
      const encoded = coreOfBase64(value, shift)
      return [
        ['base64', encoded],
        ['base64url', encoded.replaceAll('+', '-').replaceAll('/', '_')],
      ]
    }),
  ]
  return texts.map(([form, text]) => [form, Buffer.from(text).toString('latin1')])
}

/** The characters that say nothing but the value, where `shift` bytes of something else stand before it. */
function coreOfBase64(value: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
  const whole = Math.floor((bytes.length * 8) / 6)
  return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), whole)
}
