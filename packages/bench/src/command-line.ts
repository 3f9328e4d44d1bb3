/** Reads a command line of part names. */

import { parseArgs } from 'node:util'

export interface CommandLine<Part extends string> {
  readonly parts: readonly Part[]
  readonly isHelpWanted: boolean
}

/**
 * Every part without an argument, and those named in the order of `partNames`.
 * @throws TypeError that says what is wrong with the command line
 */
export function parseCommandLine<Part extends string>(
  args: readonly string[],
  partNames: readonly Part[],
): CommandLine<Part> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  })
  const unknown = positionals.find(name => !(partNames as readonly string[]).includes(name))
  if (unknown !== undefined) throw new TypeError(`There is no part ${unknown}. Parts: ${partNames.join(', ')}.`)
  const chosen = partNames.filter(name => positionals.length === 0 || positionals.includes(name))
  return { parts: chosen, isHelpWanted: values.help }
}
