import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bearer, CommandFailure, describeRefusal, reach, type Session } from './session.ts'

/** Writes the file to `out`. @throws CommandFailure, also when it breaks off */
export async function exportPeople({ adminUrl, token }: Session, out: NodeJS.WritableStream): Promise<void> {
  const url = `${adminUrl}/admin/v1/users/export`
  const answer = await reach(url, () => fetch(url, { headers: bearer(token) }))
  if (!answer.ok) throw new CommandFailure(describeRefusal(url, answer.status, await answer.text()))
  if (answer.body === null) return
  try {
    await pipeline(Readable.fromWeb(answer.body), out, { end: false })
  } catch (error) {
    throw new CommandFailure(`The export broke off (${(error as Error).message}): what was written is not all.`)
  }
}
