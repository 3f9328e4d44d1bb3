CREATE TABLE tenants (
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'active',
  is_platform boolean NOT NULL DEFAULT false,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT tenants__id PRIMARY KEY (id),
  CONSTRAINT tenants__slug UNIQUE (slug),
  CONSTRAINT tenants__status CHECK (status IN ('active', 'suspended', 'closed')),
  CONSTRAINT tenants__slug_form CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$')
);
CREATE UNIQUE INDEX tenants__is_platform ON tenants (is_platform) WHERE is_platform;

CREATE TABLE users (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL DEFAULT 'user',
  email text,
  email_verified_at timestamptz,
  phone text,
  phone_verified_at timestamptz,
  username text,
  name text,
  first_name text,
  last_name text,
  language text NOT NULL DEFAULT 'en',
  status text NOT NULL DEFAULT 'active',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT users__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT users__id UNIQUE (id),
  CONSTRAINT users__email UNIQUE (email),
  CONSTRAINT users__phone UNIQUE (phone),
  CONSTRAINT users__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT users__kind CHECK (kind IN ('user', 'client', 'sub_client')),
  CONSTRAINT users__status CHECK (status IN ('active', 'suspended', 'deleted')),
  CONSTRAINT users__language CHECK (language IN ('en', 'fr')),
  CONSTRAINT users__email_folded CHECK (email = lower(email)),
  CONSTRAINT users__identifier CHECK (status = 'deleted' OR email IS NOT NULL OR username IS NOT NULL OR phone IS NOT NULL)
);
CREATE UNIQUE INDEX users__tenant_id_username ON users (tenant_id, lower(username));
CREATE INDEX users__tenant_id_created_at ON users (tenant_id, created_at, id);

CREATE TABLE password_credentials (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  hash text NOT NULL,
  must_change boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT password_credentials__tenant_id_user_id PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT password_credentials__user FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

-- An invitation is a membership that nobody has accepted: it knows an address and no person, so that making one reveals
-- nothing about accounts elsewhere. A guest's membership refers to the person by id alone.
CREATE TABLE memberships (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid,
  invited_email text,
  status text NOT NULL DEFAULT 'active',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT memberships__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT memberships__tenant_id_user_id UNIQUE (tenant_id, user_id),
  CONSTRAINT memberships__tenant_id_invited_email UNIQUE (tenant_id, invited_email),
  CONSTRAINT memberships__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT memberships__user FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT memberships__status CHECK (status IN ('invited', 'active')),
  CONSTRAINT memberships__person CHECK ((status = 'active') = (user_id IS NOT NULL) AND (user_id IS NOT NULL OR invited_email IS NOT NULL)),
  CONSTRAINT memberships__invited_email_folded CHECK (invited_email = lower(invited_email))
);
CREATE INDEX memberships__user_id ON memberships (user_id);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenants
  USING (id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON tenants FOR SELECT TO signet_system USING (true);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON users
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON users FOR SELECT TO signet_system USING (true);

ALTER TABLE password_credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON password_credentials
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON password_credentials FOR SELECT TO signet_system USING (true);

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON memberships
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON memberships FOR SELECT TO signet_system USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, memberships TO signet_app;
GRANT SELECT, INSERT, UPDATE ON users TO signet_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON password_credentials TO signet_app;
GRANT SELECT ON tenants, users, password_credentials, memberships TO signet_system;
GRANT INSERT ON tenants, users, password_credentials, memberships TO signet_system;
GRANT UPDATE (user_id, invited_email, status, updated_at, version) ON memberships TO signet_system;
-- A share lock on a row asks for the right to change some column of it.
GRANT UPDATE (updated_at) ON users TO signet_system;
