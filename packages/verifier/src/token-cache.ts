// Tokens that were verified, so that the next request with the same one skips the arithmetic. A token is found by its
// last 32 characters (hashing a whole fresh string costs more than all the rest) and then compared whole, so that two
// tokens never share an entry. Whether the entry still counts is for the caller to decide on every request.

const tailChars = 32

export interface Cached {
  readonly token: string
}

/**
 * A bounded map of two generations: when the young one is full it becomes the old one and the old one is dropped. What
 * is used moves to the young one. `max` bounds both together.
 */
export class TokenCache<Entry extends Cached> {
  readonly #generationSize: number
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()

  constructor(max: number) {
    this.#generationSize = Math.max(1, Math.floor(max / 2))
  }

  find(token: string): Entry | undefined {
    const tail = token.slice(-tailChars)
    const young = this.#young.get(tail)
    if (young !== undefined) return young.token === token ? young : undefined
    const old = this.#old.get(tail)
    if (old === undefined || old.token !== token) return undefined
    this.#old.delete(tail)
    this.#insert(tail, old)
    return old
  }

  add(entry: Entry): void {
    const tail = entry.token.slice(-tailChars)
    this.#old.delete(tail)
    this.#insert(tail, entry)
  }

  remove(entry: Entry): void {
    const tail = entry.token.slice(-tailChars)
    this.#young.delete(tail)
    this.#old.delete(tail)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }

  #insert(tail: string, entry: Entry): void {
    if (this.#young.size >= this.#generationSize && !this.#young.has(tail)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(tail, entry)
  }
}
