// Cedar's parser is the only judge of what a text means. This cuts a text that it has accepted into its statements, each of
// which ends with a semicolon outside of strings and comments, so that a decision can name the one that made it.

const piece = /"(?:[^"\\]|\\[^])*"|\/\/[^\n\r]*|;|[^]/g

/** The statements in their order, each with what precedes it. */
export function cutStatements(source: string): string[] {
  const statements: string[] = []
  let start = 0
  for (const { 0: text, index } of source.matchAll(piece)) {
    if (text !== ';') continue
    statements.push(source.slice(start, index + 1))
    start = index + 1
  }
  return statements
}
