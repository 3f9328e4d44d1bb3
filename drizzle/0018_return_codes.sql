-- A right code for a password that may not stay (it holds words about its person, which nobody may learn before the code) is
-- worth its remaining guesses still. The hash names it: one that has replaced it meanwhile stays as it is.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION return_code(p_tenant uuid, p_user uuid, p_purpose text, p_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
BEGIN
  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  UPDATE otp_challenges c SET consumed_at = NULL
  WHERE c.tenant_id = p_tenant AND c.purpose = p_purpose AND c.subject = p_user AND c.code_hash = p_hash;
END
$$;
ALTER FUNCTION return_code(uuid, uuid, text, bytea) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION return_code(uuid, uuid, text, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION return_code(uuid, uuid, text, bytea) TO signet_app, signet_system;
