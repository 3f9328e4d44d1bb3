/** A migration is `NNNN_verb_object.sql`, numbered without gaps, and is never edited once applied. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrationsFolder } from './migrations-folder.ts'

export interface MigrationFile {
  readonly version: number
  /** The file's name without `.sql`. */
  readonly name: string
  readonly sql: string
  /** Its first line is `-- concurrently`: it is no transaction, and what it had done before it failed has to bear being done again. */
  readonly isConcurrent: boolean
  /** SHA-256 of the text in hex, line ends counted as `\n`: a checkout on Windows is no edit. */
  readonly checksum: string
}

const form = /^(\d{4})_[a-z0-9]+(?:_[a-z0-9]+)+\.sql$/

/** @throws Error that names the file when one has another form, a number twice or a gap before it */
export async function readMigrationFiles(folder = migrationsFolder): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.sql')).toSorted()
  const files: MigrationFile[] = []
  for (const name of names) {
    const version = Number(form.exec(name)?.[1])
    if (Number.isNaN(version)) throw new Error(`Migration ${name}: name it NNNN_verb_object.sql, in lower case.`)
    if (version !== files.length + 1) {
      throw new Error(
        `Migration ${name}: the number ${String(files.length + 1).padStart(4, '0')} is next. Renumber it.`,
      )
    }
    const sql = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n')
    const isConcurrent = sql.startsWith('-- concurrently\n')
    files.push({ version, name: name.slice(0, -'.sql'.length), sql, isConcurrent, checksum: sha256(sql) })
  }
  return files
}

/** One checksum for all files: the state of a schema. */
export function checksumOf(files: readonly MigrationFile[]): string {
  return sha256(files.map(file => `${file.name} ${file.checksum}`).join('\n'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
