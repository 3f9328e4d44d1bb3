/** What a list of durations says. */

/**
 * How well one duration tells of which of two kinds it is: the probability that of one of each kind the better guess is right
 * (the area under the ROC curve by Mann and Whitney, taken both ways). 0.5 is a coin, 1 is certain.
 * @throws TypeError without values of both kinds
 */
export function separability(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) throw new TypeError('There is nothing to tell apart.')
  const all = [...a.map(value => ({ value, isA: true })), ...b.map(value => ({ value, isA: false }))]
  all.sort((one, other) => one.value - other.value)
  let rankSum = 0
  for (let at = 0; at < all.length; ) {
    let end = at
    while (end < all.length && all[end]?.value === all[at]?.value) end += 1
    // Equal values share the middle of their ranks, which count from 1.
    const rank = (at + 1 + end) / 2
    for (; at < end; at += 1) if (all[at]?.isA === true) rankSum += rank
  }
  const area = (rankSum - (a.length * (a.length + 1)) / 2) / (a.length * b.length)
  return Math.abs(area - 0.5) + 0.5
}

/** The value that `share` of all do not exceed, by the nearest rank. @throws TypeError without values */
export function percentile(values: readonly number[], share: number): number {
  const value = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]
  if (value === undefined) throw new TypeError('There is no percentile of nothing.')
  return value
}

/** How much `y` grows for each 1 of `x`, by least squares. @throws TypeError without two different `x` */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [middleX, middleY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))]
  const spread = points.reduce((sum, { x }) => sum + (x - middleX) ** 2, 0)
  if (!(spread > 0)) throw new TypeError('There is no slope through one point.')
  return points.reduce((sum, { x, y }) => sum + (x - middleX) * (y - middleY), 0) / spread
}
