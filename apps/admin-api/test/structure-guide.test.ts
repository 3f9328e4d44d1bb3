import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { createWorld } from './world.ts'

const guide = readFileSync(new URL('../docs/structure.md', import.meta.url), 'utf8')
const run = promisify(execFile)

const canRun = await run('sh', ['-c', 'command -v curl sed']).then(
  () => true,
  () => false,
)

t.test('the lines of the guide work when they are pasted', { skip: canRun ? false : 'no sh or no curl' }, async t => {
  const { app, admin } = await createWorld(t)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const lines = [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('')
  const script = lines.replaceAll('http://localhost:4001', address)
  const { stdout } = await run('sh', ['-c', script], { env: { ...process.env, TOKEN: admin.token }, timeout: 20_000 })
  t.match(stdout, /"level":1,"path":\[\{"id":"[^"]+","name":"Sales"\},\{"id":"[^"]+","name":"North"\}\]/)
  t.match(
    stdout,
    /"items":\[\{[^}]*"name":"Sales"[^}]*"level":0\},\{[^}]*"name":"North"[^}]*"level":1\}\],"is_complete":true/,
  )
  t.match(stdout, /"parent_id":null,"level":0,"path":\[\{"id":"[^"]+","name":"North"\}\]/)
  t.match(
    stdout,
    /"email":"ada\.structure@example\.com".*"position":\{"id":"[^"]+","title":"Head of sales"\},"org_unit":\{"id":"[^"]+","name":"Sales"\}/,
  )
  t.match(stdout, 'It is held by 1 person (Ada Lovelace).')
  t.match(stdout, /"name":"Rivière Transports".*"total":1/s)
  t.match(stdout, '"description":"Installs charging stations"')
})
