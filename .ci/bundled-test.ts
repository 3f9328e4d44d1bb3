// Runs a test file from its bundle as if it were run itself: tap names snapshots and folders by it.
import { pathToFileURL } from 'node:url'

const [, , source = '', bundled = ''] = process.argv
process.argv.splice(1, 3, source)
await import(pathToFileURL(bundled).href)
