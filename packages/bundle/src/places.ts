/**
 * Code in a bundle finds what stands beside its source (migrations, an add-on, a worker's file, another package), as if it were
 * read from there: what it knows of its own place says where it was.
 */
import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import type { Plugin } from 'esbuild'

/** Before every file of a bundle. */
export const placeHelpers = [
  "import { createRequire as __createRequire } from 'node:module'",
  "import { dirname as __dirnameOf } from 'node:path'",
  "import { fileURLToPath as __pathOf } from 'node:url'",
  'const require = __createRequire(import.meta.url), __url = path => new URL(path, import.meta.url).href,',
  '  __file = path => __pathOf(__url(path)), __folder = path => __dirnameOf(__file(path));',
].join('\n')

const ownPlace = /\b(import\.meta|__dirname|__filename)\b/

interface KeptPlaces {
  /** Names of packages that stay where they are, beside those that must. */
  readonly apart?: RegExp | undefined
  /** Called with every file before it is read. */
  readonly note?: ((file: string) => void) | undefined
}

/** What reads an add-on or WebAssembly from beside it is no code that could be in a bundle. */
const alwaysApart = /^(@cedar-policy\/|@node-rs\/|sharp$)/

export function keepPlaces(bundle: string, { apart, note }: KeptPlaces): Plugin {
  const filter = apart === undefined ? alwaysApart : new RegExp(`${alwaysApart.source}|${apart.source}`)
  return {
    name: 'keep places',
    setup(building) {
      building.onResolve({ filter }, async ({ path, pluginData, ...from }) => {
        if (pluginData === keepPlaces) return undefined
        const found = await building.resolve(path, { ...from, pluginData: keepPlaces })
        return found.errors.length > 0 ? found : { path: toSpecifier(bundle, found.path), external: true }
      })
      building.onLoad({ filter: /./ }, async ({ path }) => {
        note?.(path)
        if (!/\.[cm]?[jt]s$/.test(path)) return undefined
        const text = await readFile(path, 'utf8')
        if (!ownPlace.test(text)) return undefined
        const contents = nameCommonJs(nameModule(text, toSpecifier(bundle, path)), toSpecifier(bundle, path))
        return { contents, loader: path.endsWith('ts') ? 'ts' : 'js', resolveDir: dirname(path) }
      })
    },
  }
}

function nameModule(text: string, specifier: string): string {
  const where = JSON.stringify(specifier)
  const named = text
    .replaceAll(/\bimport\.meta\.url\b/g, `__url(${where})`)
    .replaceAll(/\bimport\.meta\.dirname\b/g, `__folder(${where})`)
    .replaceAll(/\bimport\.meta\.filename\b/g, `__file(${where})`)
  const unknown = /\bimport\.meta\.\w+/.exec(named)?.[0]
  if (unknown !== undefined) throw new Error(`${unknown} of ${specifier} would be that of the bundle.`)
  return named
}

/** Node gives these to CommonJS; a module that makes them itself does so by the above. */
function nameCommonJs(text: string, specifier: string): string {
  if (!/\b__(dirname|filename)\b/.test(text) || /\b(const|let|var)\s+__(dirname|filename)\b/.test(text)) return text
  const where = JSON.stringify(specifier)
  const mode = /^\s*(['"])use strict\1/.test(text) ? "'use strict'; " : ''
  return `${mode}var __dirname = __folder(${where}), __filename = __file(${where});${text}`
}

/** As an import in the bundle's folder says it. */
function toSpecifier(bundle: string, file: string): string {
  const path = relative(bundle, file).replaceAll('\\', '/')
  return path.startsWith('.') ? path : `./${path}`
}
