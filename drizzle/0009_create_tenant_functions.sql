-- A tenant with its built-in roles, made in a transaction of whoever may make one: their audit event and their idempotency
-- key stand in their own tenant and are written with it or not at all.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION create_tenant(p_id uuid, p_slug text, p_name text, p_settings jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
BEGIN
  PERFORM set_config('signet.tenant_id', p_id::text, true);
  INSERT INTO tenants (id, slug, name, settings) VALUES (p_id, p_slug, p_name, p_settings);
  PERFORM create_built_in_roles(p_id);
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
END
$$;
ALTER FUNCTION create_tenant(uuid, text, text, jsonb) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION create_tenant(uuid, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_tenant(uuid, text, text, jsonb) TO signet_app, signet_system;
