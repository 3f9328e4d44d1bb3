-- For an advisor's dashboard: whom they advise in this tenant, guests included, with the state of each account.
CREATE FUNCTION people_advised_by(p_advisor uuid)
RETURNS TABLE (user_id uuid, email text, username text, name text, first_name text, last_name text, status text, assigned_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT a.user_id, u.email, u.username, u.name, u.first_name, u.last_name, u.status, a.created_at
  FROM advisor_clients a JOIN users u ON u.id = a.user_id
  WHERE a.tenant_id = current_tenant() AND a.advisor_id = p_advisor
$$;
GRANT CREATE ON SCHEMA public TO signet_system;
ALTER FUNCTION people_advised_by(uuid) OWNER TO signet_system;
REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION people_advised_by(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION people_advised_by(uuid) TO signet_app, signet_system;

-- When somebody signed in last, also where that session has ended.
CREATE INDEX sessions__tenant_id_user_id_authenticated_at ON sessions (tenant_id, user_id, authenticated_at);
