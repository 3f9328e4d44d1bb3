// The door of @signet/verifier/ws.

export {
  type ClosableSocket,
  guardWebSockets,
  type HandleUpgrade,
  type UpgradeListener,
  type UpgradingServer,
  type WebSocketGuard,
  type WebSocketGuardOptions,
} from './guard.ts'
