-- Those of the codes that a role holds by name or a policy names, in whichever tenant: they stay in the catalogue although their
-- service no longer asks for them. Tells nothing of whose they are.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION used_permissions(p_codes text[]) RETURNS TABLE (code text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT c.code FROM unnest(p_codes) AS c (code)
  WHERE EXISTS (SELECT FROM role_permissions rp WHERE rp.permission_code = c.code)
    OR EXISTS (SELECT FROM policy_statements s WHERE c.code = ANY (s.actions))
$$;
ALTER FUNCTION used_permissions(text[]) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION used_permissions(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION used_permissions(text[]) TO signet_app;
