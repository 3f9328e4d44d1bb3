// The published form: what tsc compiles, with the core in one file. The core is verifier.ts and what it imports statically; the
// rest imports from it what they share, so that there is one AuthError. Node takes about half a millisecond for each file of an
// import, which for the core as it was written made more than the work of all of it.
//
// `node build.ts [folder]`, by default into dist.

import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'

const source = import.meta.dirname
const folder = resolve(process.argv[2] ?? join(source, 'dist'))
/** A static import or export from another file, with what stands before and after its path. */
const fromFile = /^((?:import|export)\b[^;'"]*?\bfrom )'(\.{1,2}\/[^']+)'/gm

rmSync(folder, { recursive: true, force: true })
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', folder], {
  cwd: source,
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(1)

const core = listCore()
const exportAll = core.map(file => `export * from './${relative(folder, file)}'`).join('\n')
await build({
  stdin: { contents: exportAll, resolveDir: folder },
  bundle: true,
  format: 'esm',
  target: 'node20',
  outfile: join(folder, 'core.js'),
  logLevel: 'error',
  plugins: [
    {
      name: 'leave what is loaded later',
      setup(building) {
        building.onResolve({ filter: /./ }, ({ kind, path }) =>
          kind === 'dynamic-import' ? { path, external: true } : undefined,
        )
      },
    },
  ],
})
writeFileSync(join(folder, 'core.d.ts'), `${exportAll}\n`)
for (const file of core) rmSync(file)
for (const file of globSync('**/*.js', { cwd: folder })) {
  if (file !== 'core.js') pointToCore(join(folder, file))
}

/** The files that verifier.js loads with it, itself included. */
function listCore(): string[] {
  const files = new Set([join(folder, 'verifier.js')])
  for (const file of files) {
    for (const [, , path = ''] of readFileSync(file, 'utf8').matchAll(fromFile)) files.add(join(dirname(file), path))
  }
  return [...files]
}

function pointToCore(file: string): void {
  const text = readFileSync(file, 'utf8')
  const pointed = text.replace(fromFile, (whole, before: string, path: string) => {
    if (!core.includes(join(dirname(file), path))) return whole
    const there = relative(dirname(file), join(folder, 'core.js'))
    return `${before}'${there.startsWith('.') ? there : `./${there}`}'`
  })
  if (pointed !== text) writeFileSync(file, pointed)
}
