import { problem } from '@signet/kernel'

/** Degrees. `west` above `east` goes across the 180th meridian, as in GeoJSON (RFC 7946 section 5.2). */
export interface BoundingBox {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

const decimal = /^-?\d{1,3}(\.\d{1,15})?$/

/** Reads `minLon,minLat,maxLon,maxLat`. @throws Problem invalid-input */
export function readBoundingBox(text: string): BoundingBox {
  const parts = text.split(',')
  const [west = Number.NaN, south = Number.NaN, east = Number.NaN, north = Number.NaN] = parts.map(part =>
    decimal.test(part) ? Number(part) : Number.NaN,
  )
  const isOnEarth = Math.abs(west) <= 180 && Math.abs(east) <= 180 && south >= -90 && north <= 90
  if (parts.length !== 4 || !isOnEarth || !(south <= north)) {
    const message = 'must be minLon,minLat,maxLon,maxLat in degrees, with minLat not above maxLat'
    throw problem('invalid-input', undefined, { errors: [{ pointer: '?bbox', message }] })
  }
  return { west, south, east, north }
}
