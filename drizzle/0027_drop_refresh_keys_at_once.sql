-- As in 0011, once a statement and not once a row: an import makes hundreds of first passwords in one.
GRANT CREATE ON SCHEMA public TO signet_system;
DROP TRIGGER password_credentials__drop_refresh_key_at_first ON password_credentials;

CREATE FUNCTION drop_refresh_keys_at_first() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
  v_tenant uuid;
BEGIN
  FOR v_tenant IN SELECT DISTINCT c.tenant_id FROM created c LOOP
    PERFORM set_config('signet.tenant_id', v_tenant::text, true);
    DELETE FROM refresh_keys k USING created c WHERE k.tenant_id = v_tenant AND c.tenant_id = v_tenant AND k.user_id = c.user_id;
  END LOOP;
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
  RETURN NULL;
END
$$;
ALTER FUNCTION drop_refresh_keys_at_first() OWNER TO signet_system;
CREATE TRIGGER password_credentials__drop_refresh_keys_at_first AFTER INSERT ON password_credentials
  REFERENCING NEW TABLE AS created FOR EACH STATEMENT EXECUTE FUNCTION drop_refresh_keys_at_first();

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION drop_refresh_keys_at_first() FROM PUBLIC;
