import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createLeaveTogether } from '../src/modules/sign-in/leave-together.ts'

t.test('whoever is refused leaves with the others who are', async t => {
  const leaveTogether = createLeaveTogether()
  const happened: string[] = []
  const leave = (name: string) =>
    leaveTogether(() => {
      happened.push(name)
      // Between two timers the callbacks of promises run: there they would stand between the names.
      void Promise.resolve().then(() => happened.push('later'))
    })
  leave('first')
  leave('second')
  await pause(10)
  leave('third')
  t.same(happened, [], 'not at once')
  await pause(300)
  t.same(happened, ['first', 'second', 'third', 'later', 'later', 'later'], 'in one go, and in order')
  leave('fourth')
  await pause(300)
  t.same(happened.slice(6), ['fourth', 'later'], 'the next group is one of its own')
})
