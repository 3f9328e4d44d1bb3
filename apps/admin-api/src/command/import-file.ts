import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { showProgress } from './progress.ts'
import { bearer, CommandFailure, describeRefusal, reach, type Session } from './session.ts'

interface ReportLine {
  readonly line?: number
  readonly status?: string
  readonly summary?: { readonly failed: number }
  readonly problem?: { readonly title: string; readonly detail: string }
}

/**
 * Sends the file and reads the report while it does. What fails is reported in `<file>.failed`, without what the line held.
 * @returns how many lines failed
 * @throws CommandFailure
 */
export async function importFile(session: Session, file: string, isDryRun: boolean): Promise<number> {
  const { size } = await stat(file).catch(() => {
    throw new CommandFailure(`There is no file ${file} that can be read.`)
  })
  const url = `${session.adminUrl}/admin/v1/users/import${isDryRun ? '?dry_run=true' : ''}`
  const source = createReadStream(file)
  const sending = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...bearer(session.token) },
  })
  // A refusal ends the connection while the file is still being sent; what was answered tells why.
  const sent = pipeline(source, sending).catch(() => undefined)
  const answer = await reach(url, () => firstAnswer(sending))
  if (answer.statusCode !== 200) {
    const text = (await answer.setEncoding('utf8').toArray()).join('')
    sending.destroy()
    throw new CommandFailure(describeRefusal(url, answer.statusCode ?? 0, text))
  }
  const progress = showProgress(process.stderr, size, () => source.bytesRead)
  const failures = createFailureFile(`${file}.failed`)
  let last: ReportLine = {}
  try {
    for await (const text of createInterface({ input: answer })) {
      last = JSON.parse(text) as ReportLine
      if (last.status !== undefined) progress.count(last.status)
      if (last.status === 'failed') await failures.write(text)
    }
  } catch {
    // Told below: the summary is missing.
  }
  progress.end()
  await failures.close()
  if (last.summary === undefined) {
    sending.destroy()
    const why = last.problem === undefined ? 'The connection was cut.' : `${last.problem.title}. ${last.problem.detail}`
    throw new CommandFailure(`The import has stopped: ${why} What was reported is done; send the file again.`)
  }
  await sent
  return last.summary.failed
}

async function firstAnswer(sending: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  return answer
}

/** Made with the first line. */
function createFailureFile(path: string) {
  let stream: WriteStream | undefined
  return {
    write: async (line: string) => {
      stream ??= createWriteStream(path, { mode: 0o600 })
      if (!stream.write(`${line}\n`)) await once(stream, 'drain')
    },
    close: async () => {
      if (stream === undefined) return
      stream.end()
      await once(stream, 'finish')
      process.stderr.write(`What failed is in ${path}\n`)
    },
  }
}
