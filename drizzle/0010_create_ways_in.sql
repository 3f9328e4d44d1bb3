-- What the ways in need beside the password: attempts counted, devices remembered, codes, messages, tokens that an advisor
-- mints, and refresh keys. Rows without a company belong to the platform tenant.

-- Attempts by subject and kind: a person, or for a name, an address or a number that nobody has, an id derived from it, so
-- that both are counted alike. `failures` counts in a row; `taken` within the window.
CREATE TABLE account_counters (
  tenant_id uuid NOT NULL,
  subject uuid NOT NULL,
  kind text NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  taken integer NOT NULL DEFAULT 0,
  window_started_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT account_counters__tenant_id_subject_kind PRIMARY KEY (tenant_id, subject, kind),
  CONSTRAINT account_counters__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
) WITH (fillfactor = 70);
CREATE INDEX account_counters__window_started_at ON account_counters (window_started_at);

-- Devices from which a person has signed in, by the keyed hash of what tells them apart. Strangers' failures count elsewhere,
-- so that they lock nobody out who comes from a known device.
CREATE TABLE known_devices (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  fingerprint bytea NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  taken integer NOT NULL DEFAULT 0,
  window_started_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT known_devices__tenant_id_user_id_fingerprint PRIMARY KEY (tenant_id, user_id, fingerprint),
  CONSTRAINT known_devices__user FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX known_devices__last_used_at ON known_devices (last_used_at);

-- One live code a purpose and subject. The code itself is nowhere: a keyed hash of purpose, destination and code is.
CREATE TABLE otp_challenges (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  purpose text NOT NULL,
  subject uuid NOT NULL,
  user_id uuid,
  channel text NOT NULL,
  destination text NOT NULL,
  code_hash bytea NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  max_attempts integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz,
  CONSTRAINT otp_challenges__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT otp_challenges__tenant_id_purpose_subject UNIQUE (tenant_id, purpose, subject),
  CONSTRAINT otp_challenges__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT otp_challenges__user FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT otp_challenges__purpose CHECK (purpose IN ('sign-in', 'contact', 'password-reset')),
  CONSTRAINT otp_challenges__channel CHECK (channel IN ('email', 'sms'))
);
CREATE INDEX otp_challenges__expires_at ON otp_challenges (expires_at);

-- The outbox: a message is a row of the transaction that caused it. `payload` is sealed and is taken away once the message
-- is sent, has expired or was dropped. `dropped`: made for nobody, so that known and unknown addresses cost the same.
CREATE TABLE outbound_messages (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel text NOT NULL,
  user_id uuid,
  recipient text NOT NULL,
  template text NOT NULL,
  payload bytea,
  status text NOT NULL DEFAULT 'queued',
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT outbound_messages__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT outbound_messages__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT outbound_messages__channel CHECK (channel IN ('email', 'sms', 'event')),
  CONSTRAINT outbound_messages__status CHECK (status IN ('queued', 'sending', 'sent', 'dead', 'expired', 'dropped'))
) WITH (fillfactor = 70);
CREATE INDEX outbound_messages__due ON outbound_messages (channel, due_at) WHERE status IN ('queued', 'sending');
CREATE INDEX outbound_messages__dead ON outbound_messages (created_at) WHERE status = 'dead';

-- Who advises whom: both are members of the tenant.
CREATE TABLE advisor_clients (
  tenant_id uuid NOT NULL,
  advisor_id uuid NOT NULL,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT advisor_clients__tenant_id_advisor_id_user_id PRIMARY KEY (tenant_id, advisor_id, user_id),
  CONSTRAINT advisor_clients__advisor FOREIGN KEY (tenant_id, advisor_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT advisor_clients__user FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT advisor_clients__other CHECK (advisor_id <> user_id)
);
CREATE INDEX advisor_clients__tenant_id_user_id ON advisor_clients (tenant_id, user_id);

-- Single-use tokens of advisors: an access token opens a session of one of their clients; an invitation was mailed to an
-- address, whose person may not exist yet.
CREATE TABLE client_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  advisor_id uuid NOT NULL,
  user_id uuid,
  invited_email text,
  invited_name text,
  purpose text,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  redeemed_at timestamptz,
  withdrawn_at timestamptz,
  CONSTRAINT client_tokens__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT client_tokens__token_hash UNIQUE (token_hash),
  CONSTRAINT client_tokens__advisor FOREIGN KEY (tenant_id, advisor_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT client_tokens__user FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT client_tokens__kind CHECK (kind IN ('access', 'invitation')),
  CONSTRAINT client_tokens__person CHECK (CASE kind WHEN 'access' THEN user_id IS NOT NULL ELSE invited_email IS NOT NULL END),
  CONSTRAINT client_tokens__invited_email_folded CHECK (invited_email = lower(invited_email))
);
CREATE INDEX client_tokens__tenant_id_advisor_id ON client_tokens (tenant_id, advisor_id, created_at);
CREATE INDEX client_tokens__expires_at ON client_tokens (expires_at);

-- A long-lived secret that a person chose to renew tokens with. `is_short`: a numeric key of an older system, which is worth
-- something only beside a token that we signed.
CREATE TABLE refresh_keys (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  hash text NOT NULL,
  is_short boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refresh_keys__tenant_id_user_id PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT refresh_keys__user FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

-- Who acts for the person of a session: an advisor who opened it.
ALTER TABLE sessions ADD COLUMN act_sub uuid;
ALTER TABLE sessions ADD CONSTRAINT sessions__act_sub FOREIGN KEY (act_sub) REFERENCES users (id);
ALTER TABLE audit_events ADD COLUMN user_agent text;

ALTER TABLE account_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON account_counters
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE known_devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE known_devices FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON known_devices
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE otp_challenges ENABLE ROW LEVEL SECURITY;
ALTER TABLE otp_challenges FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON otp_challenges
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE outbound_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbound_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON outbound_messages
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE advisor_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE advisor_clients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON advisor_clients
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE client_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON client_tokens
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE refresh_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON refresh_keys
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

CREATE POLICY system_delivers ON outbound_messages FOR ALL TO signet_system USING (true) WITH CHECK (true);
CREATE POLICY system_reads ON client_tokens FOR SELECT TO signet_system USING (true);
CREATE POLICY system_reads ON refresh_keys FOR SELECT TO signet_system USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON account_counters, known_devices, otp_challenges TO signet_system;
GRANT SELECT, DELETE ON account_counters, known_devices, otp_challenges TO signet_app;
GRANT SELECT, INSERT, UPDATE ON outbound_messages TO signet_system;
GRANT SELECT, INSERT ON outbound_messages TO signet_app;
GRANT SELECT, INSERT, DELETE ON advisor_clients TO signet_app, signet_system;
GRANT SELECT, INSERT, UPDATE (user_id, redeemed_at, withdrawn_at) ON client_tokens TO signet_app, signet_system;
GRANT SELECT, INSERT, UPDATE, DELETE ON refresh_keys TO signet_app;
GRANT SELECT, DELETE ON refresh_keys, password_credentials TO signet_system;
GRANT UPDATE (email_verified_at, phone_verified_at, version) ON users TO signet_system;
