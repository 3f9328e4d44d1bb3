/**
 * Every place where the isolation of tenants is loosened on purpose, with the reason. The start-up gate refuses a database
 * that loosens anything else, and one in which a name given here no longer exists: this list only describes.
 */

export interface TenantExceptions {
  /** Unique keys that hold over the whole installation. */
  readonly uniqueKeys: Readonly<Record<string, string>>
  /** References by id alone. */
  readonly foreignKeys: Readonly<Record<string, string>>
  /** `table.policy`, for signet_system alone. */
  readonly systemPolicies: Readonly<Record<string, string>>
  /** Views that run with their owner's rights. */
  readonly ownerViews: Readonly<Record<string, string>>
}

const decidesAccess = 'what a person may is decided for any tenant'
const cleansUp = 'what is over leaves by time, whosever it was: the policy lets nothing else through'
const findsSignIns = 'hot-path functions find people, their memberships and roles across tenants'

export const tenantExceptions: TenantExceptions = {
  uniqueKeys: {
    tenants__slug: 'a tenant is named in addresses',
    tenants__is_platform: 'one platform tenant',
    users__id: 'memberships and sessions refer to a person by id alone',
    users__email: 'an address signs in to one account of the installation',
    users__phone: 'a number signs in to one account of the installation',
    memberships__id: 'an invitation is accepted by whoever does not know its tenant yet',
    sessions__id: 'a token names its session by id alone',
    sessions__status_list_status_index: 'status lists are shared by all tenants',
    client_tokens__token_hash: 'a token is redeemed by whoever does not know its tenant yet',
  },
  foreignKeys: {
    memberships__user: 'a guest is a person of another tenant',
    sessions__user: 'a guest has sessions here',
    sessions__act_sub: 'an advisor may be a guest as well',
  },
  systemPolicies: {
    'tenants.system_reads': findsSignIns,
    'users.system_reads': findsSignIns,
    'password_credentials.system_reads': findsSignIns,
    'memberships.system_reads': findsSignIns,
    'roles.system_reads': findsSignIns,
    'role_permissions.system_reads': findsSignIns,
    'membership_roles.system_reads': findsSignIns,
    'policies.system_reads': decidesAccess,
    'policy_statements.system_reads': decidesAccess,
    'policy_attachments.system_reads': decidesAccess,
    'bundle_versions.system_reads': 'issuer and services ask which version a tenant has',
    'sessions.system_reads': 'a refresh names its session by id alone',
    'refresh_tokens.system_reads': 'people see when each of their devices was last used',
    'client_tokens.system_reads': 'a token is redeemed by whoever does not know its tenant yet',
    'refresh_keys.system_reads': findsSignIns,
    'outbound_messages.system_delivers': 'one worker delivers the messages of all tenants',
    'brands.system_reads': 'a service asks for the brand of any tenant by its id',
    'sessions.system_cleans': cleansUp,
    'otp_challenges.system_cleans': cleansUp,
    'client_tokens.system_cleans': cleansUp,
    'idempotency_keys.system_cleans': cleansUp,
    'account_counters.system_cleans': cleansUp,
    'known_devices.system_cleans': cleansUp,
    'sessions.system_ends': 'whoever is suspended or deleted loses the sessions in every tenant',
  },
  ownerViews: {
    all_tenants: 'the platform lists its tenants',
  },
}
