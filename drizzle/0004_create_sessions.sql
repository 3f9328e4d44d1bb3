-- Each session has an index in a token status list from the start. Half of a list's 2^17 bits are given out, drawn at
-- random, so that an index tells neither when nor for whom it was drawn.
CREATE SEQUENCE status_index_draws;

CREATE TABLE sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  amr text[] NOT NULL,
  ip text,
  user_agent text,
  status_list bigint NOT NULL,
  status_index integer NOT NULL,
  authenticated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  CONSTRAINT sessions__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT sessions__id UNIQUE (id),
  CONSTRAINT sessions__status_list_status_index UNIQUE (status_list, status_index),
  CONSTRAINT sessions__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT sessions__user FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT sessions__status_index CHECK (status_index BETWEEN 0 AND 131071),
  CONSTRAINT sessions__end CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions__user_id ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions__expires_at ON sessions (expires_at);

-- One row a family: the hash of its live leaf, and of the leaf before it for the grace. Rewritten in place.
CREATE TABLE refresh_tokens (
  tenant_id uuid NOT NULL,
  session_id uuid NOT NULL,
  generation integer NOT NULL DEFAULT 0,
  leaf_hash bytea NOT NULL,
  previous_hash bytea,
  rotated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT refresh_tokens__tenant_id_session_id PRIMARY KEY (tenant_id, session_id),
  CONSTRAINT refresh_tokens__session FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);

CREATE TABLE audit_events (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  action text NOT NULL,
  actor_id uuid,
  session_id uuid,
  target_type text,
  target_id text,
  before jsonb,
  after jsonb,
  ip text,
  request_id uuid,
  CONSTRAINT audit_events__tenant_id_id PRIMARY KEY (tenant_id, id)
);

CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status integer,
  headers jsonb,
  body jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_keys__tenant_id_user_id_key PRIMARY KEY (tenant_id, user_id, key)
);
CREATE INDEX idempotency_keys__created_at ON idempotency_keys (created_at);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON sessions
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON sessions FOR SELECT TO signet_system USING (true);
CREATE POLICY system_ends ON sessions FOR UPDATE TO signet_system USING (true) WITH CHECK (true);

ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON refresh_tokens
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_events
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON idempotency_keys
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

GRANT USAGE ON SEQUENCE status_index_draws TO signet_system;
GRANT SELECT, UPDATE (ended_at, end_reason) ON sessions TO signet_app, signet_system;
GRANT INSERT ON sessions TO signet_system;
GRANT SELECT, INSERT ON refresh_tokens TO signet_system;
GRANT UPDATE (generation, leaf_hash, previous_hash, rotated_at, expires_at) ON refresh_tokens TO signet_system;
GRANT SELECT ON refresh_tokens TO signet_app;
GRANT SELECT, INSERT ON audit_events TO signet_app;
GRANT INSERT ON audit_events TO signet_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO signet_app;
