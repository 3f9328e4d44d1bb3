import { build, type Metafile, stop } from 'esbuild'
import { keepPlaces, placeHelpers } from './places.ts'

export interface FileBundle {
  /** What is to be imported by itself: the name of its file in the bundle, without `.js`, and where its source stands. */
  readonly entries: Readonly<Record<string, string>>
  /** Of the bundle, without folders in it. */
  readonly folder: string
  /** Names of packages that stay where they are, beside those that must. */
  readonly apart?: RegExp
  /** Called with every file before it is read. */
  readonly note?: (file: string) => void
}

/** @throws Error where a file cannot be read, or would mean something else in a bundle */
export async function bundleFiles({ entries, folder, apart, note }: FileBundle): Promise<void> {
  try {
    const { metafile } = await build({
      entryPoints: entries,
      outdir: folder,
      absWorkingDir: folder,
      bundle: true,
      // What a program imports later stays apart, and is read later.
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: `node${process.versions.node}`,
      sourcemap: true,
      sourcesContent: false,
      // As Node takes our sources, whatever a tsconfig beside them says of checking them.
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      banner: { js: placeHelpers },
      plugins: [keepPlaces(folder, { apart, note })],
      metafile: true,
      logLevel: 'silent',
    })
    assertNoNameIsLost(metafile)
  } finally {
    // It works in a process of its own, which would stay.
    await stop()
  }
}

/** Of CommonJS that is imported later, esbuild gives `default` alone, where Node gives its names too. */
function assertNoNameIsLost({ inputs, outputs }: Metafile): void {
  const later = Object.values(outputs).flatMap(({ entryPoint }) => entryPoint ?? [])
  const lost = later.filter(path => inputs[path]?.format === 'cjs')
  if (lost.length > 0) throw new Error(`Imported later, and in CommonJS: ${lost.join(', ')}.`)
}
