// The door of @signet/verifier/grpc.

export { type GrpcGuard, type GrpcGuardOptions, guardGrpc, principalOf } from './guard.ts'
export type { MethodNeeds } from './method-needs.ts'
