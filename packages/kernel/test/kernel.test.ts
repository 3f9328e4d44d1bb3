import t from 'tap'
import {
  type Actor,
  authorize,
  cursorScope,
  decodeCursor,
  deriveKey,
  encodeCursor,
  flag,
  Grant,
  holds,
  integer,
  isId,
  isPlatformStaff,
  lackedPermissions,
  newId,
  oneOf,
  someOf,
  origin,
  type Policy,
  Problem,
  postgresUrl,
  problem,
  problemCatalogue,
  accessTokenTtl,
  databaseUrl,
  databaseWait,
  describeRetiredSettings,
  emailTransport,
  environmentName,
  imageStorage,
  readSecretFiles,
  readSettings,
  refreshTokenTtl,
  type SessionId,
  SettingsError,
  type TenantId,
  text,
  type UserId,
} from '../src/index.ts'

function actorWith(...permissions: string[]): Actor {
  return {
    userId: newId<UserId>(),
    tenantId: newId<TenantId>(),
    sessionId: newId<SessionId>(),
    roles: new Set(['member']),
    kind: 'user',
    permissions: new Set(permissions),
    grantable: new Set(permissions),
    isPlatformStaff: false,
    request: { id: newId(), ip: '127.0.0.1' },
  }
}

t.test('a problem', async t => {
  t.test('carries its document and no cause on the wire', async t => {
    const found = problem('email-taken', 'ada@example.com is in use.', { cause: new Error('duplicate key') })
    t.strictSame(found.toDocument(), {
      type: 'urn:signet:problem:email-taken',
      title: 'This e-mail address is in use',
      status: 409,
      code: 'email-taken',
      detail: 'ada@example.com is in use.',
    })
    t.ok(found instanceof Problem && found.cause instanceof Error)
  })

  t.test('has a kebab-case code, an error status and a sentence that says what to do', async t => {
    for (const [code, [status, title, whatToDo]] of Object.entries(problemCatalogue)) {
      t.match(code, /^[a-z]+(-[a-z]+)*$/)
      t.ok(status >= 400 && status < 600, code)
      t.ok(title.length > 5 && /[.!]$/.test(whatToDo), `${code} says what to do`)
    }
  })
})

t.test('a grant', async t => {
  interface Thing {
    readonly owner: string
  }
  const policy: Policy<'things:read' | 'things:modify', Thing | null> = {
    see: 'things:read',
    hidden: 'user-not-found',
    rules: { 'things:read': holds('things:read'), 'things:modify': holds('things:modify') },
  }
  const thing = { owner: 'ada' }

  t.test('is issued to whoever holds the permission and keeps what was authorized', async t => {
    const grant = authorize(policy, 'things:modify', actorWith('things:modify'), thing)
    t.equal(grant.resource, thing)
    t.equal(grant.action, 'things:modify')
    t.ok(Grant.isGrant(grant))
  })

  t.test('is refused with 403 and the reason to whoever may see the thing', async t => {
    t.throws(() => authorize(policy, 'things:modify', actorWith('things:read'), thing), {
      code: 'forbidden',
      detail: 'This needs the permission things:modify.',
    })
  })

  t.test('is refused with the answer for what does not exist to whoever may not', async t => {
    t.throws(() => authorize(policy, 'things:modify', actorWith(), thing), {
      code: 'user-not-found',
      detail: 'Check the id.',
    })
  })

  t.test('hides nothing where there is no object yet', async t => {
    t.throws(() => authorize(policy, 'things:modify', actorWith(), null), { code: 'forbidden' })
  })

  t.test('cannot be forged by an object of the same shape', async t => {
    t.notOk(Grant.isGrant({ action: 'things:modify', actor: actorWith(), resource: thing }))
    t.notOk(Grant.isGrant(null))
  })

  t.test('asks for platform staff where the installation is concerned', async t => {
    t.equal(isPlatformStaff({ ...actorWith(), isPlatformStaff: true }, null), true)
    t.match(isPlatformStaff(actorWith(), null), /super_admin/)
  })

  t.test('never covers more than the actor holds', async t => {
    t.strictSame(lackedPermissions(actorWith('a:read'), ['b:read', 'a:read', 'b:read', 'a:list']), ['a:list', 'b:read'])
  })
})

t.test('an id', async t => {
  t.test('is a UUIDv7 that sorts by time', async t => {
    const ids = Array.from({ length: 1000 }, () => newId())
    t.strictSame(ids.toSorted(), ids)
    t.ok(ids.every(id => isId(id) && id[14] === '7'))
  })
  t.test('is refused in any other form', async t => {
    const id = newId()
    for (const other of [id.toUpperCase(), `{${id}}`, ` ${id}`, '', 'admin', 7, null])
      t.notOk(isId(other), String(other))
  })
})

t.test('a cursor', async t => {
  const key = deriveKey(Buffer.alloc(32, 7), 'cursor')
  const scope = cursorScope('tenant-a', 'users', { sort: '-created_at', limit: 5, q: 'ada', cursor: 'x' })
  const position = ['2026-01-01T00:00:00.000Z', 'id', null, 3] as const

  t.test('comes back as it was', async t => {
    t.strictSame(decodeCursor(key, scope, encodeCursor(key, scope, position)), position)
  })
  t.test('is bound to tenant, list, sort and filter, and to nothing else', async t => {
    const cursor = encodeCursor(key, scope, position)
    t.equal(cursorScope('tenant-a', 'users', { q: 'ada', sort: '-created_at', limit: 99 }), scope)
    for (const other of [
      cursorScope('tenant-b', 'users', { sort: '-created_at', q: 'ada' }),
      cursorScope('tenant-a', 'roles', { sort: '-created_at', q: 'ada' }),
      cursorScope('tenant-a', 'users', { sort: 'created_at', q: 'ada' }),
      cursorScope('tenant-a', 'users', { sort: '-created_at', q: 'bob' }),
    ]) {
      t.throws(() => decodeCursor(key, other, cursor), { code: 'invalid-cursor' })
    }
  })
  t.test('of another secret or with one changed character is refused', async t => {
    const cursor = encodeCursor(key, scope, position)
    const foreign = encodeCursor(deriveKey(Buffer.alloc(32, 8), 'cursor'), scope, position)
    for (const bad of [
      foreign,
      `A${cursor.slice(1)}`,
      `${cursor}.x`,
      cursor.split('.')[0] as string,
      '',
      '.',
      `' OR 1=1 --`,
    ]) {
      t.throws(() => decodeCursor(key, scope, bad), { code: 'invalid-cursor' }, bad)
    }
  })
  t.test('uses a key that no other purpose has', async t => {
    const secret = Buffer.alloc(32, 7)
    t.notSame(deriveKey(secret, 'cursor'), deriveKey(secret, 'refresh-seal'))
  })
})

t.test('settings', async t => {
  const spec = {
    SIGNET_ENV: oneOf(['local', 'production'], 'local', 'ENV'),
    IAM_PORT: integer(4000, [1, 65_535]),
    RUN_MIGRATIONS: flag(false),
    ISSUER: origin(undefined),
    DEFAULT_TENANT: text(undefined),
    DATABASE_URL: postgresUrl('POSTGRES_URI'),
  }

  t.test('fall back where nothing or an empty text is given', async t => {
    t.strictSame(readSettings(spec, { IAM_PORT: '', HOME: '/home/ada' }), {
      SIGNET_ENV: 'local',
      IAM_PORT: 4000,
      RUN_MIGRATIONS: false,
      ISSUER: undefined,
      DEFAULT_TENANT: undefined,
      DATABASE_URL: undefined,
    })
  })
  t.test('are read under their aliases and in any case', async t => {
    const read = readSettings(spec, { ENV: 'PRODUCTION', RUN_MIGRATIONS: 'True', POSTGRES_URI: 'postgres://a@b/c' })
    t.equal(read.SIGNET_ENV, 'production')
    t.equal(read.RUN_MIGRATIONS, true)
    t.equal(read.DATABASE_URL, 'postgres://a@b/c')
  })
  t.test('name some of a few words, or none', async t => {
    const colours = { COLOURS: someOf(['red', 'green', 'blue']) }
    const read = (given: string) => readSettings(colours, { COLOURS: given }).COLOURS
    t.strictSame(read(''), ['red', 'green', 'blue'])
    t.strictSame(read('Blue, red'), ['red', 'blue'])
    t.strictSame(read('none'), [])
    t.throws(() => read('red,pink'), { message: /COLOURS knows red, green, blue and none, not "pink"/ })
  })
  t.test('tell every fault at once and never a password', async t => {
    const environment = {
      SIGNET_ENV: 'prod',
      IAM_PORT: '99999',
      ISSUER: 'https://id.example.com/',
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      SIGNET_DEBUG: '1',
      DATABASE_ULR: 'postgres://a@b/c',
    }
    const error = t.throws(() => readSettings(spec, environment)) as unknown as SettingsError
    t.ok(error instanceof SettingsError)
    t.equal(error.faults.length, 6)
    for (const name of ['SIGNET_ENV', 'IAM_PORT', 'ISSUER', 'DATABASE_URL', 'SIGNET_DEBUG', 'DATABASE_ULR']) {
      t.match(error.message, new RegExp(name))
    }
    t.match(error.message, /Did you mean DATABASE_URL/)
    t.notMatch(error.message, /hunter2/)
  })
  t.test('are read under older names, in the units and words of those', async t => {
    const older = {
      SIGNET_ENV: environmentName(),
      ACCESS_TOKEN_TTL: accessTokenTtl(),
      REFRESH_TOKEN_TTL: refreshTokenTtl(),
      DATABASE_URL: databaseUrl(),
      WAIT_FOR_DB: databaseWait(),
      EMAIL_TRANSPORT: emailTransport(),
      STORAGE: imageStorage(),
    }
    t.match(
      readSettings(older, {
        FLASK_ENV: 'development',
        ACCESS_TOKEN_TTL_MIN: '20',
        REFRESH_TOKEN_TTL_DAYS: '7',
        DB_HOST: 'db',
        DB_USER: 'chat@auth',
        DB_PASSWORD: 'a:b/c',
        DB_NAME: 'auth_db',
        WAIT_FOR_DB: 'true',
        USE_EMAIL_SERVICE: 'false',
        USE_STORAGE_SERVICE: 'false',
      }),
      {
        SIGNET_ENV: 'local',
        ACCESS_TOKEN_TTL: 1_200,
        REFRESH_TOKEN_TTL: 604_800,
        DATABASE_URL: 'postgres://chat%40auth:a%3Ab%2Fc@db:5432/auth_db',
        WAIT_FOR_DB: 30,
        EMAIL_TRANSPORT: 'file',
        STORAGE: 'off',
      },
    )
    t.equal(readSettings(older, { ENV: 'prod' }).SIGNET_ENV, 'production')
    t.equal(readSettings(older, { ENV: 'DEFAULT' }).SIGNET_ENV, 'local')
    t.equal(readSettings(older, { USE_EMAIL_SERVICE: 'true' }).EMAIL_TRANSPORT, 'smtp')
    t.equal(readSettings(older, { USE_EMAIL_SERVICE: 'true', EMAIL_TRANSPORT: 'ses' }).EMAIL_TRANSPORT, 'ses')
    t.equal(readSettings(older, { USE_STORAGE_SERVICE: 'true', STORAGE: 's3' }).STORAGE, 's3')
    t.equal(readSettings(older, { WAIT_FOR_DB: 'no' }).WAIT_FOR_DB, 0)
    const driver = { SQLALCHEMY_DATABASE_URI: 'postgresql+psycopg2://a:b@c/d' }
    t.equal(readSettings(older, driver).DATABASE_URL, 'postgresql://a:b@c/d')
    t.equal(readSettings(older, { ACCESS_TOKEN_TTL: '1200', ACCESS_TOKEN_TTL_MIN: '20' }).ACCESS_TOKEN_TTL, 1_200)
    for (const [given, fault] of [
      [{ ACCESS_TOKEN_TTL: '900', ACCESS_TOKEN_TTL_MIN: '20' }, 'ACCESS_TOKEN_TTL and ACCESS_TOKEN_TTL_MIN are'],
      [{ ACCESS_TOKEN_TTL_MIN: '0' }, 'ACCESS_TOKEN_TTL_MIN has to be'],
      [{ DATABASE_URL: 'postgres://a@b/c', DB_HOST: 'b' }, 'DATABASE_URL and DB_HOST are'],
      [{ EMAIL_TRANSPORT: 'smtp', USE_EMAIL_SERVICE: 'false' }, 'EMAIL_TRANSPORT and USE_EMAIL_SERVICE are'],
      [{ EMAIL_TRANSPORT: 'file', USE_EMAIL_SERVICE: 'true' }, 'EMAIL_TRANSPORT and USE_EMAIL_SERVICE are'],
      [{ STORAGE: 's3', USE_STORAGE_SERVICE: 'false' }, 'STORAGE and USE_STORAGE_SERVICE are'],
      [{ ENV: 'nowhere' }, 'ENV has to be one of'],
      [{ DB_PORT: 'x', DB_PASSWORD: 'hunter2' }, 'DB_PORT DB_PASSWORD has to be an address'],
    ] as const) {
      const error = t.throws(() => readSettings(older, given)) as unknown as SettingsError
      t.equal(error.faults.length, 1)
      t.ok(error.faults[0]?.startsWith(fault), fault)
      t.notMatch(error.message, /hunter2/)
    }
  })
  t.test('that hold a secret may stand in a file', async t => {
    const files: Readonly<Record<string, string>> = { '/run/url': 'postgres://a:b@c/d\n', '/run/empty': '\n' }
    const readFile = (path: string) => {
      if (files[path] === undefined) throw new Error('ENOENT')
      return files[path]
    }
    const read = readSecretFiles({ DATABASE_URL_FILE: '/run/url', HOME: '/' }, readFile)
    t.equal(readSettings(spec, read).DATABASE_URL, 'postgres://a:b@c/d')
    t.doesNotThrow(() =>
      readSecretFiles({ DATABASE_URL_FILE: '/run/url', DATABASE_URL: 'postgres://a:b@c/d' }, readFile),
    )
    const environment = {
      DATABASE_URL: 'postgres://other',
      DATABASE_URL_FILE: '/run/url',
      SETUP_TOKEN_FILE: '/run/empty',
      MAIL_PASSWORD_FILE: '/run/nothing',
    }
    const error = t.throws(() => readSecretFiles(environment, readFile)) as unknown as SettingsError
    t.equal(error.faults.length, 3)
    for (const name of ['DATABASE_URL and DATABASE_URL_FILE', 'SETUP_TOKEN_FILE', 'MAIL_PASSWORD_FILE'])
      t.match(error.message, name)
    t.throws(() => readSettings(spec, { DATABASE_URL_FIEL: '/run/url' }), /DATABASE_URL_FIEL is not a setting/)
  })
  t.test('of replaced systems are told, with what took their place and without their value', async t => {
    const given = {
      JWT_SECRET: 'hunter2',
      GUARDIAN_SERVICE_URL: 'x',
      GUARDIAN_SERVICE_TIMEOUT: '5',
      ALGORITHM: '',
      HOME: '/',
    }
    const lines = describeRetiredSettings(given)
    t.equal(lines.length, 2)
    t.match(lines[0], /^JWT_SECRET is no setting of Signet any more: .*SIGNET_KEYS/)
    t.match(lines[1], /^GUARDIAN_SERVICE_TIMEOUT, GUARDIAN_SERVICE_URL is no setting/)
    t.notMatch(lines.join(), /hunter2/)
    t.doesNotThrow(() => readSettings(spec, given), 'and stop nothing')
  })
  t.test('refuse a setting and its alias that differ, and take two that agree', async t => {
    t.throws(() => readSettings(spec, { SIGNET_ENV: 'local', ENV: 'production' }), /SIGNET_ENV and ENV/)
    t.equal(readSettings(spec, { SIGNET_ENV: 'production', ENV: 'Production' }).SIGNET_ENV, 'production')
  })
})
