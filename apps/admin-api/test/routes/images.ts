import sharp from 'sharp'
import type { World } from '../world.ts'
import { aPerson, type Route } from './route.ts'

const bytes = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#0a7cff' } })
  .png()
  .toBuffer()
const anImage = { bytes, headers: { 'content-type': 'image/png' } }

function imageRoutes(
  path: string,
  [reads, changes]: readonly [string, string],
  [isSet, isRemoved]: readonly [string, string],
  anOwner: (world: World) => Promise<string>,
): Route[] {
  const route = { path: `/admin/v1/${path}`, owned: ['id'] }
  const withImage = async (world: World) => {
    const id = await anOwner(world)
    await world.call(world.admin, 'PUT', path.replace(':id', id), bytes, anImage.headers)
    return { params: { id } }
  }
  return [
    { ...route, method: 'GET', needs: reads, status: 200, prepare: withImage },
    {
      ...route,
      method: 'PUT',
      needs: changes,
      status: 204,
      event: isSet,
      prepare: async world => ({ params: { id: await anOwner(world) }, ...anImage }),
    },
    { ...route, method: 'DELETE', needs: changes, status: 204, event: isRemoved, prepare: withImage },
  ]
}

export const imagesRoutes: readonly Route[] = [
  ...imageRoutes(
    'users/:id/avatar',
    ['users:read', 'users:modify'],
    ['user.avatar-set', 'user.avatar-removed'],
    aPerson,
  ),
  ...imageRoutes(
    'tenants/:id/logo',
    ['tenants:read', 'tenants:modify'],
    ['tenant.logo-set', 'tenant.logo-removed'],
    async ({ company }) => company,
  ),
]
