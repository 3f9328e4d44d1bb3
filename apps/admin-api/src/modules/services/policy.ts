import { type Actor, holds, type Policy, type Rule } from '@signet/kernel'
import type { PersonOrService } from '../../wire/caller.ts'
import type { Service } from './repo.ts'

export type ServiceAction =
  | 'services:read'
  | 'services:list'
  | 'services:create'
  | 'services:modify'
  | 'services:delete'

/**
 * The registry is the platform's. A service reads and registers itself by its key and sees no other one; a key of the settings
 * speaks for the installation and registers any.
 */
export const servicePolicy: Policy<ServiceAction, Service | null, PersonOrService> = {
  see: 'services:read',
  hidden: 'service-not-found',
  rules: {
    'services:read': holdsOrIsIt('services:read'),
    'services:list': forPeople('services:list'),
    'services:create': (who, service) =>
      isPerson(who)
        ? holds('services:create')(who, service)
        : who.service === null || 'A service registers nobody but itself.',
    'services:modify': holdsOrIsIt('services:modify'),
    'services:delete': forPeople('services:delete'),
  },
}

function isPerson(who: PersonOrService): who is Actor {
  return 'userId' in who
}

function holdsOrIsIt(permission: string): Rule<Service | null, PersonOrService> {
  return (who, service) => {
    if (isPerson(who)) return holds(permission)(who, service)
    return who.service === null || who.service.id === service?.id || 'This is another service.'
  }
}

function forPeople(permission: string): Rule<Service | null, PersonOrService> {
  return (who, service) => (isPerson(who) ? holds(permission)(who, service) : 'A service key does not open this.')
}
