// A listener that fails must not become the attacker's lever: everybody may cause a refusal, and each is told to it.

import { spawnSync } from 'node:child_process'
import { createTestIssuer } from '@signet/verifier/testing'
import t from 'tap'

const issuer = createTestIssuer()

/** What a process prints that refuses a token, with this listener. */
function refuseWith(listener: string): { readonly status: number | null; readonly output: string } {
  const script = `
    import { createVerifier } from '@signet/verifier'
    const verifier = createVerifier({
      issuer: '${issuer.issuer}', audience: 'signet', keys: { jwks: ${JSON.stringify(issuer.jwks)} },
      on: { rejected: ${listener} },
    })
    for (const ask of [() => verifier.verify('x'), async () => verifier.verifySync('x'), () => verifier.authenticate({})]) {
      await ask().catch(error => console.log(error.reason))
    }
    setTimeout(() => console.log('alive'), 20)`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status, output: status === 0 ? stdout : `${stdout}${stderr}` }
}

const refusals = 'malformed\nmalformed\nmissing_token\nalive\n'

t.test('A listener that fails changes no verdict and ends no process', async t => {
  const listeners = {
    'when it throws': "() => { throw new Error('metrics are down') }",
    'when it is async': "async () => { throw new Error('metrics are down') }",
    'when it throws what has no text': '() => { throw Object.create(null) }',
    'when it throws nothing': '() => { throw undefined }',
  }
  for (const [name, listener] of Object.entries(listeners)) {
    t.strictSame(refuseWith(listener), { status: 0, output: refusals }, name)
  }
})
