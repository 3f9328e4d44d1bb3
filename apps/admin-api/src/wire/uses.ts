/** What stands in the way of a deletion, in words: whoever deletes is told how many there are and the first of them by name. */

export interface Use {
  readonly count: number
  /** What there is of it, for one and for more: `['position', 'positions']`. */
  readonly noun: readonly [one: string, more: string]
  /** The first ones; none for whoever may not see them. */
  readonly names: readonly string[]
}

/** How many names a problem gives. */
export const namedUses = 3

/** `2 units (North, South) and 1 position (Head of sales)`; undefined when there is nothing. */
export function nameUses(uses: readonly Use[]): string | undefined {
  const parts = uses.filter(({ count }) => count > 0).map(describeUse)
  return parts.length === 0 ? undefined : parts.join(' and ')
}

function describeUse({ count, noun: [one, more], names }: Use): string {
  const words = `${count} ${count === 1 ? one : more}`
  if (names.length === 0) return words
  return `${words} (${names.join(', ')}${count > names.length ? ' …' : ''})`
}
