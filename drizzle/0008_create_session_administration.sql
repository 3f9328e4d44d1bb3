GRANT CREATE ON SCHEMA public TO signet_system;

-- Where a person is at home: their profile and password are read and changed there, whatever tenant they work in.
CREATE FUNCTION home_tenant(p_user uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$ SELECT u.tenant_id FROM users u WHERE u.id = p_user $$;
ALTER FUNCTION home_tenant(uuid) OWNER TO signet_system;

-- Opens a session in another tenant out of a live one: for members, and for platform staff, whose entry is audited there
-- under a name of its own. Nobody has signed in again, so the new session keeps the methods, the time and the absolute end
-- of the old one. `outcome` is entered; refused (no membership, or no such active tenant); ended (the old session or the
-- person is over). The share lock makes a suspension or a change of the password wait for the session that it has to end,
-- and the old session is read after it.
CREATE FUNCTION enter_tenant(
  p_session uuid, p_from uuid, p_user uuid, p_tenant uuid, p_leaf bytea, p_idle interval, p_ip text, p_agent text, p_request uuid
) RETURNS TABLE (
  outcome text, roles text[], permissions text[], kind text, amr text[], status_list bigint, status_index integer,
  authenticated_at timestamptz, refresh_expires_at timestamptz, must_change boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v_kind text;
  v_from record;
  v_access record;
  v_list bigint;
  v_index integer;
  v_expires timestamptz;
BEGIN
  PERFORM set_config('signet.tenant_id', u.tenant_id::text, true) FROM users u WHERE u.id = p_user;
  SELECT u.kind INTO v_kind FROM users u WHERE u.id = p_user AND u.status = 'active' FOR SHARE;
  IF NOT FOUND THEN
    outcome := 'ended';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT s.amr, s.authenticated_at, s.expires_at, coalesce(c.must_change, false) AS must_change INTO v_from
  FROM sessions s
  LEFT JOIN password_credentials c ON c.user_id = s.user_id
  WHERE s.id = p_from AND s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > now();
  IF NOT FOUND THEN
    outcome := 'ended';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT a.* INTO v_access FROM tenants t CROSS JOIN LATERAL member_access(t.id, p_user) a WHERE t.id = p_tenant AND t.status = 'active';
  IF NOT FOUND OR NOT (v_access.is_member OR v_access.is_platform_staff) THEN
    outcome := 'refused';
    RETURN NEXT;
    RETURN;
  END IF;

  v_expires := least(now() + p_idle, v_from.expires_at);
  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  LOOP
    v_list := nextval('status_index_draws') / 65536 + 1;
    v_index := floor(random() * 131072);
    INSERT INTO sessions (tenant_id, id, user_id, amr, ip, user_agent, status_list, status_index, authenticated_at, expires_at)
    VALUES (p_tenant, p_session, p_user, v_from.amr, p_ip, p_agent, v_list, v_index, v_from.authenticated_at, v_from.expires_at)
    ON CONFLICT (status_list, status_index) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO refresh_tokens (tenant_id, session_id, leaf_hash, expires_at) VALUES (p_tenant, p_session, p_leaf, v_expires);
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id)
  VALUES (p_tenant, new_id(), CASE WHEN v_access.is_member THEN 'session.opened' ELSE 'tenant.entered' END, p_user, p_session,
    'session', p_session, jsonb_build_object('amr', v_from.amr, 'from_session', p_from), p_ip, p_request);
  RETURN QUERY SELECT 'entered', v_access.roles, v_access.permissions, v_kind, v_from.amr, v_list, v_index, v_from.authenticated_at,
    v_expires, v_from.must_change;
END
$$;
ALTER FUNCTION enter_tenant(uuid, uuid, uuid, uuid, bytea, interval, text, text, uuid) OWNER TO signet_system;

-- The live sessions of one person in every tenant, for that person: where they are signed in.
CREATE POLICY system_reads ON refresh_tokens FOR SELECT TO signet_system USING (true);
CREATE FUNCTION sessions_of(p_user uuid) RETURNS TABLE (
  id uuid, tenant_id uuid, tenant_slug text, tenant_name text, amr text[], ip text, user_agent text, authenticated_at timestamptz,
  last_used_at timestamptz, expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT s.id, t.id, t.slug, t.name, s.amr, s.ip, s.user_agent, s.authenticated_at, r.rotated_at, r.expires_at
  FROM sessions s
  JOIN tenants t ON t.id = s.tenant_id
  JOIN refresh_tokens r ON r.tenant_id = s.tenant_id AND r.session_id = s.id
  WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > now() AND r.expires_at > now()
$$;
ALTER FUNCTION sessions_of(uuid) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO signet_app, signet_system;
