/** An older system answers every failure with `{ "message": … }`, and says under `errors` what is wrong with which member. */
import type { InputFault, ProblemCode } from '@signet/kernel'
import { Type } from 'typebox'
import { rewriteProblems } from './failure-forms.ts'
import type { App } from './server.ts'

/** What the callers of that system know a failure by: its words, and its status where that is another. */
export type Wordings = Partial<Readonly<Record<ProblemCode, string | readonly [status: number, message: string]>>>

const MessageFailure = Type.Object({
  message: Type.String({ description: 'What is wrong, in words', examples: ['User not found'] }),
  errors: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.String()), { examples: [{ email: ['must match format "email"'] }] }),
  ),
})

/** The `response` entries of the failures that such a route documents. */
export function messageResponses<const S extends number>(...statuses: readonly S[]) {
  const content = { 'application/json': { schema: MessageFailure } }
  return Object.fromEntries(statuses.map(status => [status, { description: 'Failed', content }])) as Record<
    S,
    { description: string; content: typeof content }
  >
}

/**
 * Rewrites every problem that the routes of this scope answer, also one of a hook before them. What `wordings` does not name
 * says its detail; a failure that those callers have no status for is a 400.
 */
export function answerInMessages(scope: App, wordings: Wordings): void {
  rewriteProblems(scope, ({ code, status, detail, errors }, _request, reply) => {
    // Whoever says in words of their own what is wrong with the input as a whole is not spoken over.
    const isInOwnWords = code === 'invalid-input' && errors === undefined
    const wording = isInOwnWords ? detail : wordings[code as ProblemCode]
    const [answered, message] =
      typeof wording === 'object' ? wording : [status === 422 ? 400 : status, wording ?? detail]
    reply.code(answered)
    return { message, ...(errors === undefined ? {} : { errors: groupByMember(errors) }) }
  })
}

function groupByMember(faults: readonly InputFault[]): Record<string, string[]> {
  const byMember = Map.groupBy(faults, ({ pointer }) => pointer.slice(1).replaceAll('/', '.') || '_schema')
  return Object.fromEntries(Array.from(byMember, ([member, of]) => [member, of.map(({ message }) => message)]))
}
