/** Milliseconds of a clock that all processes of a machine share and that nobody sets (CLOCK_MONOTONIC on Linux). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
