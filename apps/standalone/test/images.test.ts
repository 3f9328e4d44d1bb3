/**
 * The command and the health check of every image, run by hand from the folders that the images are made of. It takes a minute
 * and more, so it is asked for, as CI does: `TEST_IMAGES=1 pnpm test apps/standalone/test/images.test.ts`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSettingName } from '@signet/kernel'
import { logStream, plantCanary, testDatabase } from '@signet/testkit'
import t from 'tap'
import { createHome } from '../src/demo/child.ts'

const deploy = fileURLToPath(new URL('../deploy/', import.meta.url))
const dockerfile = readFileSync(join(deploy, 'Dockerfile'), 'utf8')
const nodeOptions = /NODE_OPTIONS="([^"]+)"/.exec(dockerfile)?.[1] ?? ''
const serviceKey = 'a key of the images alone 4711'

interface Image {
  readonly folder: string
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

/** What the Dockerfile says of a stage, in the folder that its files come from. */
function readStage(name: string, built: string): Image {
  const stage = dockerfile.split(/^(?=FROM )/m).find(text => text.startsWith(`FROM program AS ${name}\n`)) ?? ''
  const folder = join(built, /--from=build \/built\/(\S+) /.exec(stage)?.[1] ?? '')
  const wordsOf = (pattern: RegExp) =>
    (JSON.parse(pattern.exec(stage)?.[1] ?? '[]') as string[]).map(word => word.replace('/signet/', `${folder}/`))
  return { folder, command: wordsOf(/^CMD (\[.*\])$/m), healthCheck: wordsOf(/^HEALTHCHECK .*CMD (\[.*\])$/m) }
}

// Making the folders takes most of it: each is an install of its own.
t.setTimeout(240_000)

t.test('the images', { skip: process.env['TEST_IMAGES'] === '1' ? false : 'TEST_IMAGES=1 asks for it' }, async t => {
  const home = await createHome()
  t.teardown(() => home.remove())
  const built = mkdtempSync(join(tmpdir(), 'signet-images-'))
  chmodSync(built, 0o755)
  t.teardown(() => rmSync(built, { recursive: true, force: true }))
  plantCanary('service key', serviceKey)
  const { url, adminUrl } = await testDatabase(t)
  const secret = (name: string, text: string) => {
    writeFileSync(join(built, name), `${text}\n`, { mode: 0o600 })
    return join(built, name)
  }
  const programs = ['iam', 'admin-api', 'places', 'db', 'standalone']
  execFileSync('sh', [join(deploy, 'build-folders.sh'), built, ...programs], {
    env: { ...process.env, PNPM: 'npx -y pnpm@12' },
    stdio: 'ignore',
  })
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSettingName(name)))
  const { LOG_LEVEL: _level, ...ofHome } = home.environment
  const environmentOf = ({ folder }: Image) => ({
    ...inherited,
    ...ofHome,
    NODE_OPTIONS: nodeOptions.replace('/signet/', `${folder}/`),
    ISSUER: home.addresses.iam,
    DATABASE_URL_FILE: secret('database-url', url),
    DATABASE_ADMIN_URL_FILE: secret('database-admin-url', adminUrl),
    INTERNAL_SERVICE_API_KEY_FILE: secret('service-key', serviceKey),
  })

  await t.test('migrate brings the database forward and ends', async t => {
    const image = readStage('migrate', built)
    const said = execFileSync(process.execPath, image.command.slice(1), { env: environmentOf(image), encoding: 'utf8' })
    t.match(said, /The login \S+ may work as signet_app and signet_places/)
  })

  const running: (() => Promise<void>)[] = []
  t.teardown(() => Promise.all(running.map(stop => stop())))

  const ports = { iam: ofHome['IAM_PORT'], 'admin-api': ofHome['ADMIN_PORT'], places: ofHome['PLACES_PORT'] }
  for (const [name, port = ''] of Object.entries(ports)) {
    await t.test(`${name} starts, and is well by its own health check`, async t => {
      const image = readStage(name, built)
      const environment = environmentOf(image)
      const child = spawn(process.execPath, image.command.slice(1), { env: environment, cwd: image.folder })
      let said = ''
      const log = logStream(name)
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text
          log.write(text)
        })
      const ended = new Promise(resolve => child.once('close', resolve))
      // Each runs until all are seen: the administration and the map directory ask the issuer.
      running.push(async () => {
        child.kill('SIGTERM')
        await ended
      })
      const words = image.healthCheck.slice(1).map(word => word.replace(/:400\d\//, `:${port}/`))
      const isWell = () =>
        new Promise<boolean>(resolve =>
          spawn(process.execPath, words, { env: environment }).once('close', code => resolve(code === 0)),
        )
      const deadline = performance.now() + 60_000
      while (!(await isWell()))
        if (child.exitCode !== null || performance.now() > deadline)
          throw new Error(`${name} is not well:\n${said.slice(-2_000)}`)
      t.notMatch(said, /Starts from the sources/, 'from the bundle that the image holds')
    })
  }

  await t.test('gateway-map writes the configuration of the gateway', async t => {
    const image = readStage('gateway-map', built)
    const file = join(built, 'nginx.conf')
    const words = image.command.slice(1).map(word => word.replace('/data/gateway/nginx.conf', file))
    // Once is enough here.
    const once = words.filter((word, index) => word !== '--watch' && words[index - 1] !== '--watch')
    execFileSync(process.execPath, once, { env: { ...environmentOf(image), ADMIN_URL: home.addresses.admin } })
    t.match(readFileSync(file, 'utf8'), /upstream signet-places \{/)
  })
})
