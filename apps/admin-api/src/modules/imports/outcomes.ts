/** What becomes of a line, in the words of the report. */
import { problemCatalogue, type UserId } from '@signet/kernel'
import type { Owners } from './repo.ts'
import type { Candidate, LineFault, LineReport } from './schema.ts'

type ProblemCode = keyof typeof problemCatalogue
type Line = Pick<Candidate, 'line' | 'external_id'>

export function reportCreated(line: Line, id: UserId): LineReport {
  return { line: line.line, status: 'created', id, ...externalIdOf(line) }
}

export function reportCreatable(line: Line): LineReport {
  return { line: line.line, status: 'would_create', ...externalIdOf(line) }
}

export function reportExisting(line: Line, id?: UserId): LineReport {
  return { line: line.line, status: 'exists', ...(id === undefined ? {} : { id }), ...externalIdOf(line) }
}

export function reportFailed(line: Line, errors: readonly LineFault[]): LineReport {
  return { line: line.line, status: 'failed', ...externalIdOf(line), errors: [...errors] }
}

/** As a single creation would have said it. */
export function faultOf(pointer: string, code: ProblemCode, message: string = problemCatalogue[code][1]): LineFault {
  return { pointer, message, code }
}

export const identifiers = ['email', 'username', 'phone'] as const
type Identifier = (typeof identifiers)[number]

/** The first identifier that a line has names its person: by it they are found again when the file is sent again. */
export function nameOf(person: Candidate): Identifier {
  return identifiers.find(identifier => person[identifier] !== undefined) ?? 'email'
}

/** Undefined where nobody in the database has anything of this person. */
export function judge(person: Candidate, owners: Owners | undefined): LineReport | undefined {
  if (owners === undefined) return undefined
  const existing = owners[nameOf(person)]
  if (existing !== null) return reportExisting(person, existing)
  const isTaken = { email: owners.isEmailTaken, username: owners.username !== null, phone: owners.isPhoneTaken }
  const taken = identifiers.filter(each => isTaken[each])
  return taken.length === 0 ? undefined : reportFailed(person, faultsOfTaken(taken))
}

export function faultsOfTaken(taken: readonly Identifier[]): LineFault[] {
  return taken.map(each => faultOf(`/${each}`, `${each}-taken`))
}

function externalIdOf({ external_id }: Line): { external_id?: string } {
  return external_id === undefined ? {} : { external_id }
}
