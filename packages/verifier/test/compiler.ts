// The repository's compiler, to say what it makes of a program that a user could write.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
// The compiler's own executable: what its package starts it with does not run under tap, which watches Node's children.
const { default: findExecutable }: { default: () => string } = await import(
  pathToFileURL(join(typescript, 'lib', 'getExePath.js')).href
)

export interface Complaint {
  /** From 1; 0 where the complaint is not about `source.ts`. */
  readonly line: number
  readonly text: string
}

/** What the compiler says against `source.ts` of this folder, or against anything else in its project. */
export function compile(folder: string): Complaint[] {
  const { stdout, stderr } = spawnSync(findExecutable(), ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' })
  if (stderr !== '') throw new Error(`The compiler did not run: ${stderr}`)
  return Array.from(stdout.matchAll(/^(?:(\S.*)\((\d+),\d+\): )?error TS.*$/gm), ([text, file, line]) => ({
    line: file?.endsWith('source.ts') ? Number(line) : 0,
    text,
  }))
}
