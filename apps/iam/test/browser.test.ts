// A real browser: what it lets a page see of the cookies, and what it says of who sent a request, cannot be played.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { audience, testApp } from './test-app.ts'

const executablePath = '/usr/bin/chromium'
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const skip = existsSync(executablePath) ? false : `there is no ${executablePath}`

/** Serves an empty page on this machine: pages of `localhost` and of `127.0.0.1` are of two sites. */
async function pageServer(t: Test): Promise<number> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>A page</title>')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

interface Fetched {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of all shapes; tests compare every member they read
  readonly body: any
}

/** What a script of the page gets. */
const ask = (page: Page, method: string, path: string, body?: object): Promise<Fetched> =>
  page.evaluate(
    async call => {
      const headers: Record<string, string> = call.text === '' ? {} : { 'content-type': 'application/json' }
      const sent = call.text === '' ? {} : { body: call.text }
      const answer = await fetch(call.path, { method: call.method, headers, ...sent })
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
    },
    { method, path, text: body === undefined ? '' : JSON.stringify(body) },
  )

t.test('a browser', { skip, timeout: 120_000 }, async t => {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const served: { route: string; status: number }[] = []
  const a = await testApp(t, {
    log: { write: line => void served.push(JSON.parse(line)) },
    deps: {
      tokens: {
        issuer: origin,
        audience,
        formTokenTtlSeconds: 1_800,
        accessTokenTtlSeconds: 900,
        refreshTokenTtlSeconds: 432_000,
        permissionsMaxBytes: 256,
        claimAliases: [],
      },
    },
  })
  await a.app.listen({ host: 'localhost', port })
  const browser = await chromium.launch({ executablePath, args: flags })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const page = await context.newPage()
  // The issuer has no pages: this one stands for an application behind the same origin.
  await page.route(`${origin}/app`, route => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await page.goto(`${origin}/app`)
  const tokens = async () =>
    Object.fromEntries((await context.cookies(origin)).map(({ name, value }) => [name, value] as const))

  await t.test('signs in by a code of six digits, and no script sees the tokens', async t => {
    t.equal((await ask(page, 'POST', '/api/v1/otp/requests', { email: 'ada@example.com' })).status, 202)
    const code = await a.codeFor('ada@example.com')
    const answer = await ask(page, 'POST', '/api/v1/otp/verifications', {
      email: 'ada@example.com',
      code,
      cookies: true,
    })
    t.match(answer, { status: 200, body: { token_type: 'Bearer', expires_in: 900 } })
    t.same(Object.keys(answer.body), ['token_type', 'expires_in', 'refresh_expires_in'])
    t.equal(await page.evaluate('document.cookie'), '')
    for (const cookie of await context.cookies(origin))
      t.match(cookie, { httpOnly: true, sameSite: 'Lax', path: '/', domain: 'localhost' }, cookie.name)
    t.same(
      Object.keys(await tokens()).toSorted((one, other) => one.localeCompare(other)),
      ['access_token', 'refresh_token'],
    )
    t.match(await ask(page, 'GET', '/api/v1/me'), { status: 200, body: { email: 'ada@example.com' } })
    t.match(await ask(page, 'PATCH', '/api/v1/me', { name: 'Ada' }), { status: 200, body: { name: 'Ada' } })
  })

  await t.test('refreshes without anything to send', async t => {
    const before = await tokens()
    const answer = await ask(page, 'POST', '/api/v1/tokens/refresh')
    t.match(answer, { status: 200 })
    t.notOk('access_token' in answer.body || 'refresh_token' in answer.body)
    const after = await tokens()
    t.not(after['refresh_token'], before['refresh_token'])
    t.equal((await ask(page, 'GET', '/api/v1/me')).status, 200)
  })

  await t.test('H-03 does nothing for a page of another site', async t => {
    const other = await context.newPage()
    const evil = `http://127.0.0.1:${await pageServer(t)}/`
    await other.goto(evil)
    /** @returns what the issuer answered: the page is not told */
    const answered = async (path: string, send: () => Promise<unknown>) => {
      const from = served.length
      await send()
      const deadline = performance.now() + 10_000
      for (;;) {
        const line = served.slice(from).find(({ route }) => route === path)
        if (line !== undefined || performance.now() > deadline) return line?.status
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    const sendByScript = (path: string) =>
      answered(path, () =>
        other.evaluate(
          url => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(() => undefined),
          `${origin}${path}`,
        ),
      )
    const sendByForm = async (path: string) => {
      const form = await context.newPage()
      await form.goto(evil)
      await form.setContent(`<form method="post" action="${origin}${path}"></form>`)
      const [answer] = await Promise.all([
        form.waitForResponse(`${origin}${path}`),
        form.evaluate('document.forms[0].submit()'),
      ])
      await answer.finished()
      await form.close()
      return answer.status()
    }
    const before = await tokens()
    await t.test('whose requests come without the cookies', async t => {
      t.equal(await sendByScript('/api/v1/tokens/refresh'), 401)
      t.equal(await sendByScript('/api/v1/tokens/revoke'), 204)
      t.equal(await sendByForm('/api/v1/tokens/revoke'), 415)
    })
    await t.test('which cannot sign anybody in, nor read who is', async t => {
      const attempts = await other.evaluate(async base => {
        const json = { 'content-type': 'application/json' }
        const body = JSON.stringify({ email: 'mallory@example.com', password: 'x', cookies: true })
        const calls = [
          fetch(`${base}/api/v1/tokens`, { method: 'POST', credentials: 'include', headers: json, body }),
          fetch(`${base}/api/v1/me`, { credentials: 'include' }),
        ]
        return (await Promise.allSettled(calls)).map(({ status }) => status)
      }, origin)
      t.same(attempts, ['rejected', 'rejected'])
    })
    await t.test('and is refused even where the cookies came along', async t => {
      const { refresh_token: value = '' } = before
      await context.addCookies([
        {
          name: 'refresh_token',
          value,
          domain: 'localhost',
          path: '/',
          sameSite: 'None',
          secure: true,
          httpOnly: true,
        },
      ])
      t.equal(await sendByForm('/api/v1/tokens/refresh'), 403)
      t.equal(await sendByForm('/api/v1/tokens/revoke'), 403)
    })
    t.same(await tokens(), before)
    t.equal((await ask(page, 'GET', '/api/v1/me')).status, 200)
    await other.close()
  })

  await t.test('signs out, and has nothing left', async t => {
    t.equal((await ask(page, 'POST', '/api/v1/tokens/revoke')).status, 204)
    t.same(await tokens(), {})
    t.match(await ask(page, 'GET', '/api/v1/me'), { status: 401, body: { code: 'missing-token' } })
    t.match(await ask(page, 'POST', '/api/v1/tokens/refresh'), { status: 401 })
  })
})
