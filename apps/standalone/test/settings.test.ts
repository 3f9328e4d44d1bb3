/** What is written about settings, in the contract and in the README, is what the programs read. */
import { existsSync, readFileSync } from 'node:fs'
import { knownSettingNames, retiredSettingNames, type Setting, type SettingFamily } from '@signet/kernel'
import { imageSettings, replicaSettings, serviceSettings } from '@signet/admin-api/config'
import { iamSettings } from '@signet/iam/config'
import t from 'tap'
import { readConfig } from '../src/config.ts'

const specs: Readonly<Record<string, Setting<unknown> | SettingFamily<unknown>>> = {
  ...iamSettings,
  ...imageSettings,
  ...serviceSettings,
  ...replicaSettings,
}
const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const contractFile = new URL('../../../../shared/design/CONTRACT.md', import.meta.url)

interface Row {
  /** Each with the aliases in brackets behind it. */
  readonly settings: ReadonlyMap<string, readonly string[]>
  readonly defaults: readonly string[]
  readonly text: string
}

const namesIn = (text: string): string[] => [...text.matchAll(/`([A-Z][A-Z0-9_<>]+)`/g)].map(([, name]) => name ?? '')

/** The rows of the table of settings. Several names in one row have their defaults in the same order. */
function readTable(document: string): Row[] {
  const section = document.slice(document.indexOf('| setting (aliases) |'))
  const lines = section.slice(0, section.indexOf('\n\n')).split('\n').slice(2)
  return lines.map(line => {
    const [, first = '', second = ''] = line.split('|')
    // `DB_HOST…DB_NAME` is those two and what stands between them in the code.
    const cell = first.replace('`DB_HOST…DB_NAME`', '`DB_HOST` `DB_PORT` `DB_USER` `DB_PASSWORD` `DB_NAME`')
    const settings = new Map<string, string[]>()
    for (const [, name = '', brackets = ''] of cell.matchAll(/`([A-Z][A-Z0-9_<>]+)`(?: \(([^)]*)\))?/g))
      settings.set(name, namesIn(brackets.replace(/`(\w+)=\w+`/g, '`$1`')))
    const defaults = second.replace(/[`,]/g, ' ').replace(/ s\b/g, '').trim().split(/\s+/)
    return { settings, defaults, text: cell + line.slice(first.length) }
  })
}

const otherNamesOf = (name: string): string[] => {
  const spec = specs[name]
  if (spec === undefined || 'family' in spec) return []
  return [...(spec.aliases ?? []), ...(spec.translations ?? []).flatMap(({ names }) => names)]
}

/** What a setting is where neither it nor an alias is given, by way of another setting. */
const derivedDefaults: Readonly<Record<string, string>> = {
  ISSUER: 'http://localhost:$IAM_PORT',
  DATABASE_ADMIN_URL: 'DATABASE_URL',
  COMPAT: 'all',
}

/** As a table says it: nothing is nothing, whichever word stands for it. */
const sayDefault = (name: string): string => {
  const derived = derivedDefaults[name]
  if (derived !== undefined) return derived
  const spec = specs[name]
  const value = spec === undefined || 'family' in spec ? undefined : spec.fallback
  return [value].flat().join() || 'none'
}

/** Not of PORT: it is the alias of each program's own port, where that program is started alone. */
function compare(t: Tap, rows: readonly Row[], isLeftOut: (name: string) => boolean) {
  for (const { settings, defaults } of rows) {
    for (const [name, aliases] of settings)
      for (const alias of aliases.filter(each => each !== 'PORT'))
        t.ok(otherNamesOf(name).includes(alias), `${alias} is an alias of ${name}: see packages/kernel/src/settings.ts`)
    const names = [...settings.keys()]
    if (names.length !== defaults.length) continue
    for (const [index, name] of names.entries()) {
      if (isLeftOut(name) || !(name in specs)) continue
      t.equal((defaults[index] ?? '').replace('–', 'none'), sayDefault(name), `the default of ${name}`)
    }
  }
}
type Tap = Pick<typeof t, 'ok' | 'equal'>

t.test('the README lists every setting with its aliases and default, and none that does not exist', async t => {
  const rows = readTable(readme)
  const listed = new Set(rows.flatMap(({ text }) => namesIn(text)))
  t.same([...listed].toSorted(), [...knownSettingNames].toSorted(), 'as packages/kernel/src/setting-names.ts')
  for (const name of Object.keys(readConfig({}))) t.ok(listed.has(name), name)
  compare(t, rows, name => name === 'DEFAULT_TENANT')
  for (const name of Object.keys(specs))
    for (const alias of otherNamesOf(name))
      t.ok(alias === 'PORT' || rows.some(({ settings }) => settings.get(name)?.includes(alias)), `${name} (${alias})`)
})

t.test('the README names what is retired', async t => {
  const section = readme.slice(readme.indexOf('## Settings'), readme.indexOf('## More'))
  for (const name of retiredSettingNames) t.ok(section.includes(`\`${name}\``), name)
})

/** What these would switch comes with the operations of the product; until then they would be settings that do nothing. */
const notYet = new Set(['CORS_ORIGINS', 'METRICS_PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT'])
/** Settings that its other sections name, or that are ours beside it. */
const beside = new Set([
  'TOKEN_PERMISSIONS_MAX_BYTES',
  'ACCESS_TOKEN_CLAIM_ALIASES',
  'AUDIT_RETENTION_DAYS',
  'IAM_URL',
  'ADMIN_URL',
  'PLACES_URL',
  'SIGNET_TOKEN',
  'ENG_ANALYTICS_URL',
])

t.test(
  'the contract and the code have the same settings, aliases, defaults and retired names',
  { skip: existsSync(contractFile) ? false : 'there is no contract beside this checkout' },
  async t => {
    const contract = readFileSync(contractFile, 'utf8')
    const rows = readTable(contract)
    const listed = new Set(rows.flatMap(({ text }) => namesIn(text.replace(/`(USE_\w+)=false`/g, '`$1`'))))
    t.ok(listed.size > 80, 'the table is found')
    for (const name of listed) t.ok(knownSettingNames.has(name) || notYet.has(name), `${name} of the contract is read`)
    for (const name of knownSettingNames)
      t.ok(listed.has(name) || beside.has(name), `${name} stands in the contract: add it there, or take it out`)
    compare(t, rows, name => notYet.has(name))
    const sentence = /Retired names \(([^)]*)\)/.exec(contract)?.[1] ?? ''
    const retired = [...sentence.matchAll(/`([A-Z_*]+)`/g)].map(([, name]) => name ?? '')
    t.ok(retired.length > 0)
    for (const name of retired) t.ok(retiredSettingNames.includes(name), `${name} is retired`)
  },
)
