/** What one check says of an installation, in one line: whether it is well, and if not what to do. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'FAIL'
  readonly says: string
  /** Nothing where all is well. */
  readonly remedy: string | undefined
}

export interface Check {
  ok(says: string): Finding
  warning(says: string, remedy: string): Finding
  fail(says: string, remedy: string): Finding
}

export function createCheck(check: string): Check {
  return {
    ok: says => ({ check, state: 'ok', says, remedy: undefined }),
    warning: (says, remedy) => ({ check, state: 'warning', says, remedy }),
    fail: (says, remedy) => ({ check, state: 'FAIL', says, remedy }),
  }
}

/** As one says an error to an operator: some of the driver's have no words, only a code. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ')
  const code = 'code' in error ? String(error.code) : ''
  return error.message === '' ? code || error.name : error.message
}
