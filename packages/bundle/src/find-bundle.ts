/**
 * Where the bundle of a program stands, and whether it is still what its sources say:
 *
 *   dist/program.json         the folder of the bundle, and every file that it was made of
 *   dist/program-AbC123/      the bundle
 */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface BundlePlace {
  /** The file that the program begins with. */
  readonly entry: string
  /** Where bundles of its package stand. */
  readonly folder: string
  /** The file that says which one is in use. */
  readonly record: string
}

/** Paths are relative to the folder of bundles: a tree may be moved as a whole. */
export interface BundleRecord {
  readonly first: string
  readonly inputs: Readonly<Record<string, InputState>>
}

/** Of a file: its bytes, and when it was changed, in milliseconds. */
export type InputState = readonly [size: number, changed: number]

/** @param entry in `src` of its package */
export function describeBundle(entry: string): BundlePlace {
  const folder = resolve(dirname(entry), '../dist')
  return { entry, folder, record: join(folder, `${basename(entry, '.ts')}.json`) }
}

/** @returns the URL of its first file; nothing where there is none, or a file that it was made of is another now */
export function findBundle({ folder, record }: BundlePlace): string | undefined {
  const found = readRecord(record)
  if (found === undefined || describeInput(`${folder}/${found.first}`) === undefined) return undefined
  for (const [path, [size, changed]] of Object.entries(found.inputs)) {
    const now = describeInput(`${folder}/${path}`)
    if (now === undefined || now[0] !== size || !isSameTime(changed, now[1])) return undefined
  }
  return pathToFileURL(join(folder, found.first)).href
}

export function describeInput(file: string): InputState | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? undefined : [found.size, found.mtimeMs]
}

/** A layer of an image may have cut a time to the second. */
function isSameTime(recorded: number, now: number): boolean {
  return now === recorded || now === Math.trunc(recorded / 1_000) * 1_000
}

/** One that cannot be read is made anew. */
function readRecord(file: string): BundleRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BundleRecord
  } catch {
    return undefined
  }
}
