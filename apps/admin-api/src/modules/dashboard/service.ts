import type { Rule } from '@signet/kernel'
import type { Deps } from '../../deps.ts'
import type { ServiceAnswer } from '../../service-client.ts'
import type { Caller } from '../../wire/caller.ts'
import { actAs } from '../actors/index.ts'
import * as repo from './repo.ts'

const isAdvisor: Rule<null> = actor => actor.roles.has('advisor') || 'This needs the role advisor.'

/** What an advisor needs at a glance: their own people, and what other services know. @throws Problem `forbidden` */
export async function readDashboard(deps: Deps, caller: Caller) {
  const { email, ...own } = await actAs(deps, caller, isAdvisor, async (tx, actor) => ({
    email: await repo.findEmail(tx, actor),
    brand: await repo.findOwnBrand(tx, actor),
    counts: await repo.countClients(tx, actor),
    clients: await repo.listClients(tx, actor),
    activity: await repo.listActivity(tx, actor),
  }))
  // No transaction waits for another service.
  const services: Readonly<Record<string, ServiceAnswer>> = await deps.services.askAll(email)
  return { ...own, services }
}
