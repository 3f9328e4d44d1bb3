-- The programs work as roles that own nothing, are no superusers and cannot pass over row-level security. Roles belong
-- to the whole cluster, so another database may have made them a moment ago. A program's login is a member of signet_app
-- alone: signet_system owns functions and a view, and nobody who serves requests can become it.
DO $$
DECLARE
  wanted text;
  -- From PostgreSQL 16 on a member of a role may still not be allowed to become it.
  may_become text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['signet_app', 'signet_system', 'signet_places'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', wanted);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
    IF NOT pg_has_role(current_user, wanted, may_become) THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
    END IF;
  END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO signet_app, signet_system;

-- UUIDv7 (RFC 9562) for rows that a function writes on its own; all other ids come from the programs.
CREATE FUNCTION new_id() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT encode(
    set_bit(
      set_bit(
        overlay(
          uuid_send(gen_random_uuid())
          PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
          FROM 1 FOR 6
        ),
        52, 1),
      53, 1),
    'hex')::uuid
$$;

-- The tenant of the transaction. Unset means null, and null equals nothing: no rows.
CREATE FUNCTION current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('signet.tenant_id', true), '')::uuid $$;
