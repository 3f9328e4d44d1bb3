// Prints each crossed layer with the rule's name and what to do about it.
import { findViolations } from './layers/find-violations.ts'

const { violations, fileCount } = await findViolations(process.cwd())

for (const { rule, from, to, comment } of violations) console.log(`${rule}\n  ${from}\n  → ${to}\n  ${comment}\n`)
console.log(`${fileCount} files, ${violations.length} crossed layers`)
if (fileCount === 0) console.log('No file was found: run this from the root of the repository.')
process.exitCode = violations.length === 0 && fileCount > 0 ? 0 : 1
