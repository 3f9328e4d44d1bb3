/**
 * How long a library keeps a program from starting: a process of its own imports nothing but it. Ours as it is published, which
 * is JavaScript; the file of the others is the one that their package gives to `import`.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Bench } from './bench.ts'
import { onCore } from './machine.ts'

const run = promisify(execFile)

export interface BuiltVerifier extends AsyncDisposable {
  /** Of its entry. */
  readonly url: string
}

/** Built as for the registry, into a folder that is removed afterwards. */
export async function buildVerifier(): Promise<BuiltVerifier> {
  const source = dirname(dirname(fileURLToPath(import.meta.resolve('@signet/verifier'))))
  const folder = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    // What says so in the package, too: without it every file would be looked at twice.
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await run(process.execPath, [join(source, 'build.ts'), join(folder, 'dist')])
    return { url: pathToFileURL(join(folder, 'dist/index.js')).href, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Milliseconds from before the import until the module can be used, in a process that does nothing else. */
export async function timeImport({ machine, signal }: Bench, url: string): Promise<number> {
  const program = `const begun = performance.now(); await import(${JSON.stringify(url)}); console.log(performance.now() - begun)`
  const [command, ...args] = onCore(machine.programCore, process.execPath, ['--input-type=module', '--eval', program])
  const { stdout } = await run(command, args, { signal })
  const ms = Number(stdout)
  if (!(ms > 0)) throw new Error(`An import said: ${stdout}`)
  return ms
}
