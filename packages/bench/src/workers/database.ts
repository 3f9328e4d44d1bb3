/** Keeps an embedded PostgreSQL on the core that this process was started on: the server inherits it. */

import { type EmbeddedServer, grantLogin, migrate, startEmbedded } from '@signet/db'
import { answerQuestions } from './answer-questions.ts'

export interface DatabaseQuestion {
  readonly dataDir: string
}

export interface DatabaseAnswer {
  /** The programs' login. */
  readonly url: string
  /** A superuser's, into the same database. */
  readonly superUrl: string
}

let server: EmbeddedServer | undefined

answerQuestions(
  async ({ dataDir }: DatabaseQuestion): Promise<DatabaseAnswer> => {
    server = await startEmbedded({ dataDir })
    await migrate({ url: server.adminUrl })
    await grantLogin(server.adminUrl, new URL(server.url).username, ['signet_app'])
    const superUrl = new URL(server.superUrl)
    superUrl.pathname = new URL(server.url).pathname
    return { url: server.url, superUrl: superUrl.href }
  },
  async () => server?.stop(),
)
