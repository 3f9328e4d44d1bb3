export type { GatewayAddresses } from './service.ts'
export { serveGateway } from './routes.ts'
