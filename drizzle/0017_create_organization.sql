-- What a company is made of beside its people: units, positions, business directory, brands, business accounts and policies;
-- and the services that stand behind the gateway.

-- A tree. Whoever moves a unit waits for whoever moves another one of the tenant, and looks for a cycle only then.
CREATE TABLE org_units (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  parent_id uuid,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT org_units__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT org_units__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT org_units__parent FOREIGN KEY (tenant_id, parent_id) REFERENCES org_units (tenant_id, id)
);
CREATE UNIQUE INDEX org_units__tenant_id_parent_id_name ON org_units (tenant_id, parent_id, lower(name)) NULLS NOT DISTINCT;
CREATE INDEX org_units__tenant_id_created_at ON org_units (tenant_id, created_at, id);

CREATE TABLE positions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  org_unit_id uuid,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  level integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT positions__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT positions__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT positions__org_unit FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);
CREATE INDEX positions__tenant_id_org_unit_id ON positions (tenant_id, org_unit_id);
CREATE INDEX positions__tenant_id_created_at ON positions (tenant_id, created_at, id);

CREATE TABLE customers (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  email text,
  contact_person text,
  phone text,
  address text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT customers__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT customers__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
CREATE INDEX customers__tenant_id_created_at ON customers (tenant_id, created_at, id);

CREATE TABLE subcontractors (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  email text,
  contact_person text,
  phone text,
  address text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT subcontractors__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT subcontractors__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
CREATE INDEX subcontractors__tenant_id_created_at ON subcontractors (tenant_id, created_at, id);

-- What clients of an advisor, or of a tenant, see in the place of ours.
CREATE TABLE brands (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  logo_url text,
  primary_color text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT brands__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT brands__tenant_id_name UNIQUE (tenant_id, name),
  CONSTRAINT brands__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- Business accounts: a sub-client belongs to one client. `is_suspended_with_client`: ended by the suspension of the client,
-- and comes back with it.
ALTER TABLE users ADD COLUMN parent_id uuid;
ALTER TABLE users ADD COLUMN is_suspended_with_client boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD CONSTRAINT users__parent FOREIGN KEY (tenant_id, parent_id) REFERENCES users (tenant_id, id);
ALTER TABLE users ADD CONSTRAINT users__parent_kind CHECK ((kind = 'sub_client') = (parent_id IS NOT NULL));
CREATE INDEX users__tenant_id_parent_id ON users (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX users__tenant_id_kind ON users (tenant_id, kind, created_at, id) WHERE kind <> 'user';

-- The picture of a person and the logo of a company: where the bytes are, or null.
ALTER TABLE users ADD COLUMN avatar_key text;
ALTER TABLE tenants ADD COLUMN logo_key text;
ALTER TABLE tenants ADD COLUMN brand_id uuid;
ALTER TABLE tenants ADD CONSTRAINT tenants__brand FOREIGN KEY (id, brand_id) REFERENCES brands (tenant_id, id);

-- A person holds one position in a tenant, and an advisor carries one brand there.
ALTER TABLE memberships ADD COLUMN position_id uuid;
ALTER TABLE memberships ADD COLUMN brand_id uuid;
ALTER TABLE memberships ADD CONSTRAINT memberships__position FOREIGN KEY (tenant_id, position_id) REFERENCES positions (tenant_id, id);
ALTER TABLE memberships ADD CONSTRAINT memberships__brand FOREIGN KEY (tenant_id, brand_id) REFERENCES brands (tenant_id, id);
CREATE INDEX memberships__tenant_id_position_id ON memberships (tenant_id, position_id) WHERE position_id IS NOT NULL;
CREATE INDEX memberships__tenant_id_brand_id ON memberships (tenant_id, brand_id) WHERE brand_id IS NOT NULL;

-- Cedar text, or the JSON form that it was made of.
CREATE TABLE policies (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  source text NOT NULL,
  form jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT policies__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT policies__tenant_id_name UNIQUE (tenant_id, name),
  CONSTRAINT policies__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);

-- The statements of a policy, as far as SQL has to know them. `actions`: the permissions in its scope, null for every one.
-- `is_template`: it speaks of those it is attached to, else of everybody in the tenant. `is_conditional`: it depends on more
-- than who and which action. `is_personal`: it may hold for one person and not for another of the same tenant. `is_for_one`: it
-- speaks of one person (`principal == ?principal`) and cannot be attached to a role. `reads_roles`: a condition reads the roles of a
-- person, so that whoever gives, takes away or renames a role gives or takes what the statement names.
CREATE TABLE policy_statements (
  tenant_id uuid NOT NULL,
  policy_id uuid NOT NULL,
  number integer NOT NULL,
  line integer NOT NULL,
  effect text NOT NULL,
  actions text[],
  is_template boolean NOT NULL,
  is_conditional boolean NOT NULL,
  is_personal boolean NOT NULL,
  is_for_one boolean NOT NULL DEFAULT false,
  reads_roles boolean NOT NULL DEFAULT false,
  CONSTRAINT policy_statements__tenant_id_policy_id_number PRIMARY KEY (tenant_id, policy_id, number),
  CONSTRAINT policy_statements__policy FOREIGN KEY (tenant_id, policy_id) REFERENCES policies (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT policy_statements__effect CHECK (effect IN ('permit', 'forbid'))
);
CREATE INDEX policy_statements__tenant_id_reads_roles ON policy_statements (tenant_id) WHERE reads_roles;

-- A policy on a person (user, client or sub-client; guests too) or on a role, which is then on all who have the role.
CREATE TABLE policy_attachments (
  tenant_id uuid NOT NULL,
  policy_id uuid NOT NULL,
  user_id uuid,
  role_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT policy_attachments__tenant_id_policy_id_user_id_role_id UNIQUE NULLS NOT DISTINCT (tenant_id, policy_id, user_id, role_id),
  CONSTRAINT policy_attachments__policy FOREIGN KEY (tenant_id, policy_id) REFERENCES policies (tenant_id, id),
  CONSTRAINT policy_attachments__user FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  CONSTRAINT policy_attachments__role FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT policy_attachments__holder CHECK (num_nonnulls(user_id, role_id) = 1)
);
CREATE INDEX policy_attachments__tenant_id_user_id ON policy_attachments (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX policy_attachments__tenant_id_role_id ON policy_attachments (tenant_id, role_id) WHERE role_id IS NOT NULL;

-- How often the roles and policies of a tenant have changed: what was prepared of them holds for one version.
CREATE TABLE bundle_versions (
  tenant_id uuid NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT bundle_versions__tenant_id PRIMARY KEY (tenant_id),
  CONSTRAINT bundle_versions__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) WITH (fillfactor = 50);

-- What stands behind the gateway: of the installation, not of a tenant. `routes`: [{ path, methods, access }].
CREATE TABLE services (
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  base_url text NOT NULL,
  health_url text,
  routes jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT services__id PRIMARY KEY (id),
  CONSTRAINT services__name UNIQUE (name),
  CONSTRAINT services__name_form CHECK (name ~ '^[a-z][a-z0-9-]{0,62}$')
);

CREATE TABLE service_keys (
  id uuid NOT NULL,
  service_id uuid NOT NULL,
  name text NOT NULL DEFAULT '',
  key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  CONSTRAINT service_keys__id PRIMARY KEY (id),
  CONSTRAINT service_keys__key_hash UNIQUE (key_hash),
  CONSTRAINT service_keys__service FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE
);
CREATE INDEX service_keys__service_id ON service_keys (service_id);

ALTER TABLE org_units ENABLE ROW LEVEL SECURITY;
ALTER TABLE org_units FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON org_units
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE positions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON positions
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON customers
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE subcontractors ENABLE ROW LEVEL SECURITY;
ALTER TABLE subcontractors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON subcontractors
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE brands ENABLE ROW LEVEL SECURITY;
ALTER TABLE brands FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON brands
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON policies
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE policy_statements ENABLE ROW LEVEL SECURITY;
ALTER TABLE policy_statements FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON policy_statements
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE policy_attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE policy_attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON policy_attachments
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

ALTER TABLE bundle_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE bundle_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON bundle_versions
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);

GRANT CREATE ON SCHEMA public TO signet_system;
CREATE OR REPLACE VIEW all_tenants AS SELECT * FROM tenants;
REVOKE CREATE ON SCHEMA public FROM signet_system;

CREATE POLICY system_reads ON policy_statements FOR SELECT TO signet_system USING (true);
CREATE POLICY system_reads ON policy_attachments FOR SELECT TO signet_system USING (true);
CREATE POLICY system_reads ON bundle_versions FOR SELECT TO signet_system USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON org_units, positions, customers, subcontractors, brands, policies, services TO signet_app;
GRANT SELECT, INSERT, DELETE ON policy_statements, policy_attachments TO signet_app;
GRANT SELECT, INSERT, UPDATE (last_used_at), DELETE ON service_keys TO signet_app;
GRANT SELECT ON bundle_versions TO signet_app;
GRANT SELECT, INSERT, UPDATE ON bundle_versions TO signet_system;
GRANT SELECT ON policy_statements, policy_attachments, services, service_keys TO signet_system;
GRANT UPDATE (last_used_at) ON service_keys TO signet_system;
GRANT UPDATE (status, is_suspended_with_client, version, updated_at) ON users TO signet_system;

INSERT INTO permissions (code, service, description, is_platform) VALUES
  ('org-units:read', 'signet', 'Read an organizational unit and what is below it', false),
  ('org-units:list', 'signet', 'List organizational units', false),
  ('org-units:create', 'signet', 'Create an organizational unit', false),
  ('org-units:modify', 'signet', 'Change and move an organizational unit', false),
  ('org-units:delete', 'signet', 'Delete an organizational unit', false),
  ('positions:read', 'signet', 'Read a position and who holds it', false),
  ('positions:list', 'signet', 'List positions', false),
  ('positions:create', 'signet', 'Create a position', false),
  ('positions:modify', 'signet', 'Change a position and who holds it', false),
  ('positions:delete', 'signet', 'Delete a position', false),
  ('customers:read', 'signet', 'Read a customer', false),
  ('customers:list', 'signet', 'List customers', false),
  ('customers:create', 'signet', 'Create a customer', false),
  ('customers:modify', 'signet', 'Change a customer', false),
  ('customers:delete', 'signet', 'Delete a customer', false),
  ('subcontractors:read', 'signet', 'Read a subcontractor', false),
  ('subcontractors:list', 'signet', 'List subcontractors', false),
  ('subcontractors:create', 'signet', 'Create a subcontractor', false),
  ('subcontractors:modify', 'signet', 'Change a subcontractor', false),
  ('subcontractors:delete', 'signet', 'Delete a subcontractor', false),
  ('clients:read', 'signet', 'Read a client', false),
  ('clients:list', 'signet', 'List clients', false),
  ('clients:create', 'signet', 'Create a client', false),
  ('clients:modify', 'signet', 'Change, suspend and activate a client', false),
  ('clients:delete', 'signet', 'Delete a client', false),
  ('sub-clients:read', 'signet', 'Read a sub-client', false),
  ('sub-clients:list', 'signet', 'List sub-clients', false),
  ('sub-clients:create', 'signet', 'Create a sub-client', false),
  ('sub-clients:modify', 'signet', 'Change, suspend and activate a sub-client', false),
  ('sub-clients:delete', 'signet', 'Delete a sub-client', false),
  ('brands:read', 'signet', 'Read a brand', false),
  ('brands:list', 'signet', 'List brands', false),
  ('brands:create', 'signet', 'Create a brand', false),
  ('brands:modify', 'signet', 'Change a brand and who carries it', false),
  ('brands:delete', 'signet', 'Delete a brand', false),
  ('policies:read', 'signet', 'Read a policy and see what it is attached to', false),
  ('policies:list', 'signet', 'List policies', false),
  ('policies:create', 'signet', 'Create a policy', false),
  ('policies:modify', 'signet', 'Change a policy; attach it and take it away', false),
  ('policies:delete', 'signet', 'Delete a policy', false),
  ('decisions:read', 'signet', 'Ask what other people may do', false),
  ('gateway-routes:list', 'signet', 'Read the map of the gateway', false),
  ('services:read', 'signet', 'Read a service', true),
  ('services:list', 'signet', 'List services', true),
  ('services:create', 'signet', 'Register a service', true),
  ('services:modify', 'signet', 'Change a service and its keys', true),
  ('services:delete', 'signet', 'Remove a service', true);
