import { fileURLToPath } from 'node:url'
import { describeBundle, findBundle } from './find-bundle.ts'

/**
 * Imports a program by its bundle, which is made where there is none or where a file that it was made of has changed: Node takes
 * more than a second to find and read the two thousand files of a program. Where no bundle can be made (a file system that is
 * read only), the program runs from its sources, and a warning says why.
 * @param program URL of its file. What it does, it does when it is imported
 * @param beforeMaking called where a bundle is made, which takes seconds, for whoever waits
 */
export async function startBundled(program: string, beforeMaking?: () => void): Promise<void> {
  await import((await openBundle(fileURLToPath(program), beforeMaking)) ?? program)
}

/** @returns the URL of its first file */
async function openBundle(entry: string, beforeMaking?: () => void): Promise<string | undefined> {
  const place = describeBundle(entry)
  const found = findBundle(place)
  if (found !== undefined) return found
  beforeMaking?.()
  try {
    const { makeBundle } = await import('./make-bundle.ts')
    return await makeBundle(place)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    console.warn(`Starts from the sources, which takes a second longer: no bundle can be made. ${why}`)
    return undefined
  }
}
