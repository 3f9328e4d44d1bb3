/** The systems whose routes Signet answers for the callers that they had. */
export const replacedSystems = ['eng-identity', 'pm-identity-api', 'iam-rs256', 'scalable-auth', 'chat-auth'] as const

export type ReplacedSystem = (typeof replacedSystems)[number]
