// Reads a tree of apps/ and packages/ and names each import and each line that crosses a layer.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import { type ImportRule, importRules } from './import-rules.ts'
import { sourceRules } from './source-rules.ts'

export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
  readonly comment: string
}

export interface Findings {
  readonly violations: readonly Violation[]
  readonly fileCount: number
}

/** Lists what crosses a layer below `root`, by import graph and by source. Throws when the graph misses files of the tree. */
export async function findViolations(root: string): Promise<Findings> {
  const files = globSync('{apps,packages}/*/{src,test}/**/*.ts', { cwd: root }).toSorted()
  const violations = [...(await findImportViolations(root, files)), ...findSourceViolations(root, files)]
  return { violations, fileCount: files.length }
}

async function findImportViolations(root: string, files: readonly string[]): Promise<Violation[]> {
  const folders = globSync('{apps,packages}/*/{src,test}', { cwd: root })
  const { output } = await cruise(folders, {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: [...importRules] },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    detectProcessBuiltinModuleCalls: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  })
  if (typeof output === 'string') throw new Error('dependency-cruiser answered text where a result was asked for')
  assertEveryFileWasRead(
    files,
    output.modules.map(module => module.source),
  )
  return output.summary.violations.map(({ rule, from, to, cycle }) => ({
    rule: rule.name,
    from,
    to: cycle === undefined ? to : cycle.map(step => step.name).join(' → '),
    comment: findRule(rule.name).comment,
  }))
}

/** dependency-cruiser passes over TypeScript in silence when it finds no compiler that it can use. */
function assertEveryFileWasRead(files: readonly string[], read: readonly string[]): void {
  const seen = new Set(read)
  const missed = files.filter(file => !seen.has(file))
  if (missed.length === 0) return
  throw new Error(
    `dependency-cruiser did not read ${missed.length} of ${files.length} files (first: ${missed[0]}). ` +
      'It needs a typescript below 7 of its own: see packageExtensions in pnpm-workspace.yaml.',
  )
}

function findRule(name: string): ImportRule {
  const rule = importRules.find(candidate => candidate.name === name)
  if (rule === undefined) throw new Error(`no layer rule is called ${name}`)
  return rule
}

function findSourceViolations(root: string, files: readonly string[]): Violation[] {
  return files
    .filter(file => file.includes('/src/'))
    .flatMap(file => {
      const lines = readFileSync(join(root, file), 'utf8')
      return sourceRules
        .filter(rule => !rule.except.test(file))
        .flatMap(({ name, comment, pattern }) => {
          const found = pattern.exec(lines)
          if (found === null) return []
          const line = lines.slice(0, found.index).split('\n').length
          return [{ rule: name, from: `${file}:${line}`, to: found[0], comment }]
        })
    })
}
