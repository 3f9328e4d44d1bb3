/** What the walks read in the API reference of a route. */
import { nameOf, type Route, routes } from './route-table.ts'
import type { World } from './world.ts'

export interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly string[]
  readonly format?: string
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

export interface RouteReference {
  /** The schema of a JSON body; undefined for a route that takes none. */
  readonly bodyOf: (route: Route) => Schema | undefined
  readonly queryOf: (route: Route) => ReadonlyMap<string, Schema>
  /** Routes that answer pages, by cursor. */
  readonly lists: readonly Route[]
}

export async function readReference({ call }: World): Promise<RouteReference> {
  const { body } = await call(null, 'GET', '/openapi.json')
  const operationOf = ({ method, path }: Route): Operation =>
    body.paths[path.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
  const queryOf = (route: Route) =>
    new Map(
      (operationOf(route).parameters ?? []).filter(each => each.in === 'query').map(each => [each.name, each.schema]),
    )
  const lists = routes.filter(route => route.method === 'GET' && queryOf(route).has('cursor'))
  if (lists.length === 0) throw new Error(`None of ${routes.map(nameOf).join(', ')} is a list.`)
  return {
    bodyOf: route => operationOf(route).requestBody?.content['application/json']?.schema,
    queryOf,
    lists,
  }
}
