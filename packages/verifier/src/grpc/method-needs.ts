// Every method says who may call it. One that is not listed is refused: a method can be forgotten, but not left open.

import { assertNeed, type Need } from '../need.ts'

/**
 * By path, `'/package.Service/Method'`, or `'/package.Service/*'` for the methods of a service that are not listed by
 * name. `'public'`: anybody. Otherwise a valid token, and what the need asks for; `{}` asks for the token alone.
 */
export type MethodNeeds = Readonly<Record<`/${string}/${string}`, Need | 'public'>>

const methodPath = /^\/[A-Za-z_][\w.]*\/(?:[A-Za-z_]\w*|\*)$/

/** Finds the need of a path; undefined for a method that is not listed. Throws a TypeError for a wrong path or need. */
export function readMethodNeeds(methods: MethodNeeds): (path: string) => Need | 'public' | undefined {
  if (typeof methods !== 'object' || methods === null || Array.isArray(methods))
    throw new TypeError('methods must be an object')
  const needs = new Map<string, Need | 'public'>()
  for (const [path, need] of Object.entries(methods)) {
    if (!methodPath.test(path)) throw new TypeError(`methods: ${path} is no path like /package.Service/Method`)
    if (need !== 'public') assertMethodNeed(path, need)
    needs.set(path, need)
  }
  return path => needs.get(path) ?? needs.get(`${path.slice(0, path.lastIndexOf('/'))}/*`)
}

function assertMethodNeed(path: string, need: unknown): void {
  try {
    assertNeed(need)
  } catch (error) {
    throw new TypeError(`methods: the need of ${path} is wrong: ${(error as Error).message}`, { cause: error })
  }
}
