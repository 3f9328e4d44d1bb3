-- concurrently
-- Reads the rows that will be the first partitions while they are written to: attaching them does not have to.
ALTER TABLE audit_events VALIDATE CONSTRAINT audit_events__first_partition;
ALTER TABLE outbound_messages VALIDATE CONSTRAINT outbound_messages__first_partition;

-- What somebody did, what happened to something, and what happened seldom: each without reading all that happened in the tenant.
-- Every second event says that a token was refreshed; nobody looks for those by their action.
DROP INDEX CONCURRENTLY IF EXISTS audit_events__tenant_id_actor_id_id;
CREATE INDEX CONCURRENTLY audit_events__tenant_id_actor_id_id ON audit_events (tenant_id, actor_id, id);
DROP INDEX CONCURRENTLY IF EXISTS audit_events__tenant_id_target_id_id;
CREATE INDEX CONCURRENTLY audit_events__tenant_id_target_id_id ON audit_events (tenant_id, target_id, id);
DROP INDEX CONCURRENTLY IF EXISTS audit_events__tenant_id_action_id;
CREATE INDEX CONCURRENTLY audit_events__tenant_id_action_id ON audit_events (tenant_id, action, id) WHERE action <> 'token.refreshed';

-- The lists of people, in each of their orders.
DROP INDEX CONCURRENTLY IF EXISTS users__tenant_id_name;
CREATE INDEX CONCURRENTLY users__tenant_id_name ON users (tenant_id, coalesce(lower(name), ''), id);
DROP INDEX CONCURRENTLY IF EXISTS users__tenant_id_email;
CREATE INDEX CONCURRENTLY users__tenant_id_email ON users (tenant_id, coalesce(lower(email), ''), id);
DROP INDEX CONCURRENTLY IF EXISTS users__tenant_id_username_sorted;
CREATE INDEX CONCURRENTLY users__tenant_id_username_sorted ON users (tenant_id, coalesce(lower(username), ''), id);
DROP INDEX CONCURRENTLY IF EXISTS memberships__tenant_id_created_at;
CREATE INDEX CONCURRENTLY memberships__tenant_id_created_at ON memberships (tenant_id, created_at, id);

-- Bundles hold the roles of the tenant and those that hold everything, wherever they are.
DROP INDEX CONCURRENTLY IF EXISTS roles__holds_all;
CREATE INDEX CONCURRENTLY roles__holds_all ON roles (tenant_id) WHERE holds = 'all';
-- Is there a session in the list that goes on?
DROP INDEX CONCURRENTLY IF EXISTS sessions__status_list_expires_at;
CREATE INDEX CONCURRENTLY sessions__status_list_expires_at ON sessions (status_list, expires_at) WHERE ended_at IS NULL;

-- What remove_expired (0034) looks for: turns within a window are over with it, failures in a row are worth more.
DROP INDEX CONCURRENTLY IF EXISTS account_counters__turns;
CREATE INDEX CONCURRENTLY account_counters__turns ON account_counters (window_started_at) WHERE kind LIKE '%.%';
DROP INDEX CONCURRENTLY IF EXISTS account_counters__failures;
CREATE INDEX CONCURRENTLY account_counters__failures ON account_counters (window_started_at) WHERE kind NOT LIKE '%.%';
DROP INDEX CONCURRENTLY IF EXISTS account_counters__window_started_at;
