export { buildApp, type PlacesDeps } from './app.ts'
export { type PlacesOptions, startPlaces } from './start-places.ts'
