// Makes the bundles of programs before anyone starts them: `node main-bundle.ts FILE…`. What makes an image does so, whose programs
// cannot write where they stand.
import { resolve } from 'node:path'
import { describeBundle } from './find-bundle.ts'
import { makeBundle } from './make-bundle.ts'

for (const file of process.argv.slice(2)) await makeBundle(describeBundle(resolve(file)))
