/**
 * The dashboard as eng-identity gave it: clients that the service `lifecycle` knows, with those whom the advisor advises here, and
 * the balance that `billing` knows.
 */
import { problem } from '@signet/kernel'
import type { Deps } from '../deps.ts'
import { readDashboard } from '../modules/dashboard/index.ts'
import type { Caller } from '../wire/caller.ts'

type Client = Readonly<Record<string, unknown>>

/** @throws Problem `forbidden`, `not-ready` where services are configured, none of them answers, and nobody is advised here */
export async function readAdvisorDashboard(deps: Deps, caller: Caller) {
  const { counts, clients: advised, services } = await readDashboard(deps, caller)
  const asked = [services['lifecycle'], services['billing']].filter(answer => answer !== undefined)
  const isNothingKnown = asked.length > 0 && asked.every(({ status }) => status === 'unavailable')
  if (isNothingKnown && counts.clients === 0) throw problem('not-ready', 'Dashboard data is not available.')
  const known = clientsOf(dataOf(services['lifecycle'])['clients'])
  const addresses = new Set(known.map(({ email }) => String(email).toLowerCase()))
  const ours = advised
    .filter(({ email }) => email === null || !addresses.has(email))
    .map(({ user_id: id, email, name, username, status }) => ({
      id,
      name: name ?? username ?? email,
      email,
      status: status === 'active' ? 'Active' : 'Suspended',
    }))
  const clients = [...known, ...ours]
  const balance = dataOf(services['billing'])['balance']
  return {
    stats: {
      active_clients: clients.filter(({ status }) => status !== 'Suspended').length,
      pending_reviews: clients.filter(({ status }) => status === 'Pending Review').length,
      tokens_remaining: typeof balance === 'number' ? balance : 0,
    },
    clients,
  }
}

function dataOf(answer: Awaited<ReturnType<typeof readDashboard>>['services'][string] | undefined): Client {
  return answer?.status === 'ok' ? answer.data : {}
}

/** What another service says is taken as it comes, where it is a list of objects. */
function clientsOf(value: unknown): Client[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'object' && each !== null) : []
}
