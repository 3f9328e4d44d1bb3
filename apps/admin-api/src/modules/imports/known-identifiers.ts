/**
 * Identifiers of a whole file, in 8 bytes each: a dry run knows what it has met a million lines ago. Of what is met it keeps 53 bits
 * of a digest: that two identifiers of a million lines are taken for one is less likely than one in ten thousand.
 */
import { hash } from 'node:crypto'

export interface KnownIdentifiers {
  has(identifier: string): boolean
  add(identifier: string): void
}

const fullAt = 0.7

export function createKnownIdentifiers(): KnownIdentifiers {
  // Open addressing; zero is an empty place.
  let places = new Float64Array(1 << 12)
  let count = 0

  function findPlace(table: Float64Array, print: number): number {
    let at = print % table.length
    while (table[at] !== 0 && table[at] !== print) at = (at + 1) % table.length
    return at
  }

  function grow(): void {
    const larger = new Float64Array(places.length * 2)
    for (const print of places) if (print !== 0) larger[findPlace(larger, print)] = print
    places = larger
  }

  return {
    has: identifier => places[findPlace(places, fingerprintOf(identifier))] !== 0,
    add: identifier => {
      const print = fingerprintOf(identifier)
      const at = findPlace(places, print)
      if (places[at] !== 0) return
      places[at] = print
      count += 1
      if (count > places.length * fullAt) grow()
    },
  }
}

function fingerprintOf(identifier: string): number {
  const digest = hash('sha1', identifier, 'buffer')
  return digest.readUIntBE(0, 6) * 32 + (digest.readUInt8(6) >> 3) + 1
}
