/**
 * A program reads its settings once, tells every fault at once, and refuses to start on any of them: a setting that is
 * silently ignored is worse than a program that does not start. Pure: the environment is passed in.
 */

import { isRetiredName } from './retired-settings.ts'
import { isSettingName, knownSettingNames, secretFileNames } from './setting-names.ts'
import { StartupError } from './startup-error.ts'

/** How one setting is read. `parse` throws an Error whose message completes "NAME …". */
export interface Setting<T> {
  readonly parse: (text: string) => T
  readonly fallback: T
  readonly aliases?: readonly string[]
  readonly translations?: readonly Translation<T>[]
}

/** Older names for a setting whose values were written otherwise: in another unit, or in several parts. */
export interface Translation<T> {
  readonly names: readonly string[]
  /** Throws an Error whose message completes "NAME …". */
  readonly read: (environment: Environment) => T
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Settings whose names follow a pattern. Each is called by its first group, in lower case and with hyphens. */
export interface SettingFamily<T> {
  readonly family: RegExp
  readonly parse: (text: string) => T
}

type Spec = Readonly<Record<string, Setting<unknown> | SettingFamily<unknown>>>

export type SettingsOf<S extends Spec> = {
  readonly [K in keyof S]: S[K] extends SettingFamily<infer T>
    ? Readonly<Record<string, T>>
    : S[K] extends Setting<infer T>
      ? T
      : never
}

/** All faults of the settings at once. */
export class SettingsError extends StartupError {
  override readonly name = 'SettingsError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`These settings keep the program from starting:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

/** Below this length two unrelated names are often two letters apart (HOME and HOST). */
const minimumLengthOfATypo = 8

/**
 * Reads the settings of `spec` out of `environment`.
 * @param known every name that any program of ours understands: the others' settings are no mistakes
 * @throws SettingsError with every fault: unreadable values, a setting and its alias that differ, `SIGNET_*` names that
 *   we do not know, names within two letters of ours
 */
export function readSettings<S extends Spec>(
  spec: S,
  environment: Environment,
  known: ReadonlySet<string> = knownSettingNames,
): SettingsOf<S> {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(spec)) {
    values[name] =
      'family' in setting ? readFamily(setting, environment, faults) : readOne(name, setting, environment, faults)
  }
  faults.push(...findUnknownNames(environment, new Set([...known, ...namesOf(spec)])))
  if (faults.length > 0) throw new SettingsError(faults)
  return values as SettingsOf<S>
}

function readOne(name: string, setting: Setting<unknown>, environment: Environment, faults: string[]): unknown {
  const values: { readonly said: string; readonly value: unknown }[] = []
  const take = (said: string, read: () => unknown) => {
    try {
      values.push({ said, value: read() })
    } catch (error) {
      faults.push(`${said} ${(error as Error).message}`)
    }
  }
  const isGiven = (each: string) => (environment[each] ?? '') !== ''
  for (const each of [name, ...(setting.aliases ?? [])].filter(isGiven))
    take(each, () => setting.parse((environment[each] as string).trim()))
  for (const { names, read } of setting.translations ?? []) {
    const said = names.filter(isGiven)
    if (said.length > 0) take(said.join(' '), () => read(environment))
  }
  const [first] = values
  if (first === undefined) return setting.fallback
  const other = values.find(({ value }) => JSON.stringify(value) !== JSON.stringify(first.value))
  if (other !== undefined)
    faults.push(`${first.said} and ${other.said} are the same setting with different values: keep one.`)
  return first.value
}

function readFamily(
  { family, parse }: SettingFamily<unknown>,
  environment: Environment,
  faults: string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, given = ''] of Object.entries(environment)) {
    const word = family.exec(name)?.[1]
    if (word === undefined || given === '') continue
    try {
      values[word.toLowerCase().replaceAll('_', '-')] = parse(given.trim())
    } catch (error) {
      faults.push(`${name} ${(error as Error).message}`)
    }
  }
  return values
}

function namesOf(spec: Spec): string[] {
  return Object.entries(spec).flatMap(([name, setting]) =>
    'family' in setting
      ? []
      : [name, ...(setting.aliases ?? []), ...(setting.translations ?? []).flatMap(({ names }) => names)],
  )
}

function findUnknownNames(environment: Environment, known: ReadonlySet<string>): string[] {
  const faults: string[] = []
  for (const name of Object.keys(environment).toSorted()) {
    if (known.has(name) || isSettingName(name) || isRetiredName(name)) continue
    const near =
      name.length < minimumLengthOfATypo
        ? undefined
        : [...known, ...secretFileNames].find(each => isWithinTwoLetters(name, each))
    if (near !== undefined) faults.push(`${name} is not a setting. Did you mean ${near}?`)
    else if (name.startsWith('SIGNET_')) faults.push(`${name} is not a setting of Signet. Remove it.`)
  }
  return faults
}

function isWithinTwoLetters(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 2) return false
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return (row[b.length] as number) <= 2
}
