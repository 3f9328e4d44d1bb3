/** The commands of docs/decisions.md work as they stand there. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createWorld } from './world.ts'

const guide = readFileSync(new URL('../docs/decisions.md', import.meta.url), 'utf8')
const commands = [...guide.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text)
const reasonTypes = [...guide.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| /gm)].flatMap(([, names = '']) =>
  [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name),
)

t.test('every command is answered', async t => {
  const world = await createWorld(t)
  const role = await world.cast.addRole(world.company, ['roles:read'])
  const answers: unknown[] = []
  for (const command of commands) {
    const [, path = ''] = /\$ADMIN(\S+)/.exec(command) ?? []
    const [, body = ''] = /-d '([^]*)'\n$/.exec(command) ?? []
    const sent = body.replace("'$ME'", world.admin.userId)
    const answer = await world.call(world.admin, 'POST', path.replace('$ROLE', role), sent)
    t.equal(answer.status, 200, `${path} ${answer.text}`)
    answers.push(answer.body)
  }
  t.match(answers, [
    {
      decision: true,
      context: { reasons: [{ type: 'role', message: 'The role admin holds the permission roles:read.' }] },
    },
    { evaluations: [{ decision: true }, { decision: true }] },
    { items: [], next_cursor: null, total: 0 },
  ])
})

t.test('every type of a reason that the API can give is explained', async t => {
  for (const type of ['role', 'permit', 'forbid', 'permit-error', 'forbid-error', 'missing', 'ceiling', 'subject']) {
    t.ok(reasonTypes.includes(type), type)
  }
})
