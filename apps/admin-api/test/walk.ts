/** The calls that the walks make, and who may make them. */
import type { TestActor } from '@signet/testkit'
import { type Call, fill, isOfThePlatform, type Route } from './route-table.ts'
import type { Answer, World } from './world.ts'

export function send(
  world: World,
  who: TestActor | null,
  route: Route,
  { params, body, bytes, headers }: Call,
): Promise<Answer> {
  return world.call(who, route.method, fill(route.path, params), bytes ?? body, headers)
}

/** Somebody who may: staff where the platform is needed, an advisor where that role is, the company's administrator elsewhere. */
export function ableActor({ staff, admin, advisor }: World, { needs }: Route): TestActor {
  if (needs === 'advisor') return advisor
  return needs === 'staff' || isOfThePlatform(needs) ? staff : admin
}

/** A call that works, for whoever may. */
export function prepareFor(world: World, route: Route, caller: TestActor = ableActor(world, route)): Promise<Call> {
  return route.prepare(world, caller)
}
