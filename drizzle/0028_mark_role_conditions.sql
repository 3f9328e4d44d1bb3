-- A condition may read the roles of a person: whoever gives, takes away or renames a role then gives or takes what the statement
-- names, without its being attached to the role.
ALTER TABLE policy_statements ADD COLUMN reads_roles boolean NOT NULL DEFAULT false;
CREATE INDEX policy_statements__tenant_id_reads_roles ON policy_statements (tenant_id) WHERE reads_roles;
