-- What a token of a session is worth at this moment, without spending it. `p_leaf` is the hash of a refresh token, which has
-- to be the live leaf; null asks for the session of an access token that the program has verified. No row: it is worth nothing.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION introspect_session(p_session uuid, p_leaf bytea) RETURNS TABLE (
  user_id uuid, tenant_id uuid, username text, roles text[], permissions text[], act_sub uuid, rotated_at timestamptz,
  refresh_expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT s.user_id, s.tenant_id, coalesce(u.email, u.username, u.phone),
    -- Whoever has to change their password first holds nothing until then.
    CASE WHEN a.must_change THEN '{}' ELSE a.roles END,
    CASE WHEN a.must_change THEN '{}' ELSE a.permissions END,
    a.act_sub, r.rotated_at, r.expires_at
  FROM sessions s
  JOIN users u ON u.id = s.user_id
  JOIN refresh_tokens r ON r.tenant_id = s.tenant_id AND r.session_id = s.id
  CROSS JOIN LATERAL load_actor(s.user_id, s.tenant_id, s.id) a
  WHERE s.id = p_session AND (p_leaf IS NULL OR (r.leaf_hash = p_leaf AND r.expires_at > now()))
$$;
ALTER FUNCTION introspect_session(uuid, bytea) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION introspect_session(uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION introspect_session(uuid, bytea) TO signet_app, signet_system;
