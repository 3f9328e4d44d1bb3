export { createEventHub, type EventHub } from './hub.ts'
export { serveEvents } from './routes.ts'
