// Node strips types of our sources as they stand, but of nothing below node_modules, where `pnpm deploy` puts the packages of
// this workspace. Loaded first (`node --import`), this strips them there too.
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const ours = /\/node_modules\/@signet\/.*\.ts$/

registerHooks({
  load(url, context, next) {
    if (!ours.test(url)) return next(url, context)
    const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
    return { format: 'module', source, shortCircuit: true }
  },
})
