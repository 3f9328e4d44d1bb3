-- The catalogue. A platform permission works on the installation itself: no tenant's own administrator holds it.
CREATE TABLE permissions (
  code text NOT NULL,
  service text NOT NULL,
  description text NOT NULL DEFAULT '',
  is_platform boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT permissions__code PRIMARY KEY (code),
  CONSTRAINT permissions__code_form CHECK (code ~ '^[a-z][a-z0-9-]{0,62}:[a-z][a-z-]{0,31}$')
);

-- `holds`: the permissions that are listed; all of a tenant's, those to come included (admin); all (super_admin).
CREATE TABLE roles (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  is_built_in boolean NOT NULL DEFAULT false,
  holds text NOT NULL DEFAULT 'listed',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT roles__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT roles__tenant_id_name UNIQUE (tenant_id, name),
  CONSTRAINT roles__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT roles__holds CHECK (holds = 'listed' OR (is_built_in AND holds IN ('tenant', 'all')))
);

CREATE TABLE role_permissions (
  tenant_id uuid NOT NULL,
  role_id uuid NOT NULL,
  permission_code text NOT NULL,
  CONSTRAINT role_permissions__tenant_id_role_id_permission_code PRIMARY KEY (tenant_id, role_id, permission_code),
  CONSTRAINT role_permissions__role FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT role_permissions__permission FOREIGN KEY (permission_code) REFERENCES permissions (code)
);
CREATE INDEX role_permissions__permission_code ON role_permissions (permission_code);

CREATE TABLE membership_roles (
  tenant_id uuid NOT NULL,
  membership_id uuid NOT NULL,
  role_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT membership_roles__tenant_id_membership_id_role_id PRIMARY KEY (tenant_id, membership_id, role_id),
  CONSTRAINT membership_roles__membership FOREIGN KEY (tenant_id, membership_id) REFERENCES memberships (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT membership_roles__role FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id)
);
CREATE INDEX membership_roles__tenant_id_role_id ON membership_roles (tenant_id, role_id);

ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON roles
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON roles FOR SELECT TO signet_system USING (true);

ALTER TABLE role_permissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE role_permissions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON role_permissions
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON role_permissions FOR SELECT TO signet_system USING (true);

ALTER TABLE membership_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON membership_roles
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_reads ON membership_roles FOR SELECT TO signet_system USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON permissions, roles TO signet_app;
GRANT SELECT, INSERT, DELETE ON role_permissions, membership_roles TO signet_app;
GRANT SELECT ON permissions, roles, role_permissions, membership_roles TO signet_system;
GRANT INSERT ON roles, membership_roles TO signet_system;

INSERT INTO permissions (code, service, description, is_platform) VALUES
  ('tenants:read', 'signet', 'Read the tenant one works in', false),
  ('tenants:modify', 'signet', 'Change the tenant one works in', false),
  ('tenants:list', 'signet', 'List all tenants', true),
  ('tenants:create', 'signet', 'Create a tenant', true),
  ('tenants:delete', 'signet', 'Delete a tenant', true),
  ('users:read', 'signet', 'Read a person', false),
  ('users:list', 'signet', 'List people', false),
  ('users:create', 'signet', 'Create a person', false),
  ('users:modify', 'signet', 'Change, suspend and activate a person', false),
  ('users:delete', 'signet', 'Delete a person', false),
  ('memberships:read', 'signet', 'Read a membership', false),
  ('memberships:list', 'signet', 'List memberships', false),
  ('memberships:create', 'signet', 'Invite a person of another tenant', false),
  ('memberships:modify', 'signet', 'Assign roles to people and take them away', false),
  ('memberships:delete', 'signet', 'Remove a person from the tenant', false),
  ('roles:read', 'signet', 'Read a role', false),
  ('roles:list', 'signet', 'List roles', false),
  ('roles:create', 'signet', 'Create a role', false),
  ('roles:modify', 'signet', 'Change a role and its permissions', false),
  ('roles:delete', 'signet', 'Delete a role', false),
  ('permissions:read', 'signet', 'Read a permission of the catalogue', false),
  ('permissions:list', 'signet', 'List the catalogue of permissions', false),
  ('permissions:create', 'signet', 'Add a permission to the catalogue', true),
  ('permissions:modify', 'signet', 'Describe a permission of the catalogue', true),
  ('permissions:delete', 'signet', 'Remove a permission from the catalogue', true),
  ('audit-events:read', 'signet', 'Read an audit event', false),
  ('audit-events:list', 'signet', 'List audit events', false);
