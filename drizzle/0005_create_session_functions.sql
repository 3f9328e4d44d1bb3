-- The hot paths: each is one statement that guards, writes, audits and returns. They run as signet_system, which reads
-- across tenants where a policy named system_… says so, and set the tenant themselves before they write. They are called
-- outside of a transaction, so they bound their own waits.
GRANT CREATE ON SCHEMA public TO signet_system;

-- Who a person is in a tenant. Platform staff who are no members there act with everything ("entering" a tenant). In
-- plpgsql for its plan, which is kept: as plain SQL it is made at each call, which costs more than the rest of a refresh.
CREATE FUNCTION member_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (roles text[], permissions text[], is_member boolean, is_platform_staff boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH held AS (
    SELECT m.tenant_id, t.is_platform, r.id, r.name, r.holds
    FROM memberships m
    JOIN tenants t ON t.id = m.tenant_id
    LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
    WHERE m.user_id = p_user AND m.status = 'active' AND (m.tenant_id = p_tenant OR t.is_platform)
  ),
  facts AS (
    SELECT coalesce(bool_or(tenant_id = p_tenant), false) AS member, coalesce(bool_or(is_platform AND holds = 'all'), false) AS staff FROM held
  ),
  acting AS (
    SELECT id, name, holds FROM held WHERE tenant_id = p_tenant AND id IS NOT NULL
    UNION ALL
    SELECT NULL, 'super_admin', 'all' FROM facts WHERE staff AND NOT member
  )
  SELECT
    coalesce((SELECT array_agg(name ORDER BY name) FROM acting), '{}'),
    CASE
      WHEN EXISTS (SELECT FROM acting WHERE holds = 'all') THEN (SELECT array_agg(code ORDER BY code) FROM permissions)
      WHEN EXISTS (SELECT FROM acting WHERE holds = 'tenant') THEN (SELECT array_agg(code ORDER BY code) FROM permissions WHERE NOT is_platform)
      ELSE coalesce((
        SELECT array_agg(DISTINCT rp.permission_code ORDER BY rp.permission_code)
        FROM acting a JOIN role_permissions rp ON rp.tenant_id = p_tenant AND rp.role_id = a.id), '{}')
    END,
    member,
    staff
  FROM facts;
END
$$;
ALTER FUNCTION member_access(uuid, uuid) OWNER TO signet_system;

-- The person behind an identifier, with what decides a sign-in. One row at most, also for those who may not sign in, so
-- that the program takes the same steps for all. Without a tenant: the home tenant; platform staff land in the default
-- tenant where they are members of it.
CREATE FUNCTION find_sign_in(p_email text, p_username text, p_phone text, p_tenant_slug text, p_default_slug text)
RETURNS TABLE (
  user_id uuid, home_tenant_id uuid, tenant_id uuid, kind text, hash text, must_change boolean, refusal text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  WITH person AS (
    SELECT u.* FROM users u WHERE p_email IS NOT NULL AND u.email = lower(p_email)
    UNION ALL
    SELECT u.* FROM users u WHERE p_phone IS NOT NULL AND u.phone = p_phone
    UNION ALL
    SELECT u.* FROM users u JOIN tenants t ON t.id = u.tenant_id
    WHERE p_username IS NOT NULL AND lower(u.username) = lower(p_username) AND t.slug = coalesce(p_tenant_slug, p_default_slug)
  )
  SELECT p.id, p.tenant_id, target.id, p.kind, c.hash, coalesce(c.must_change, false),
    CASE
      WHEN p.status <> 'active' THEN 'user-' || p.status
      WHEN target.id IS NULL THEN 'no-membership'
      WHEN target.status <> 'active' THEN 'tenant-' || target.status
      WHEN c.hash IS NULL THEN 'no-password'
    END
  FROM person p
  JOIN tenants home ON home.id = p.tenant_id
  LEFT JOIN password_credentials c ON c.tenant_id = p.tenant_id AND c.user_id = p.id
  LEFT JOIN LATERAL (
    SELECT t.id, t.status FROM memberships m JOIN tenants t ON t.id = m.tenant_id
    WHERE m.user_id = p.id AND m.status = 'active'
      AND CASE
        WHEN p_tenant_slug IS NOT NULL THEN t.slug = p_tenant_slug
        WHEN home.is_platform THEN t.id = home.id OR t.slug = p_default_slug
        ELSE t.id = home.id
      END
    ORDER BY t.is_platform
    LIMIT 1
  ) target ON true
  LIMIT 1
$$;
ALTER FUNCTION find_sign_in(text, text, text, text, text) OWNER TO signet_system;

-- An audit row in a tenant, or in the platform tenant where there is none (unknown names).
CREATE FUNCTION record_event(
  p_tenant uuid, p_action text, p_actor uuid, p_session uuid, p_target_type text, p_target text, p_after jsonb, p_ip text, p_request uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
  v_tenant uuid := coalesce(p_tenant, (SELECT id FROM tenants WHERE is_platform));
BEGIN
  IF v_tenant IS NULL THEN RETURN; END IF;
  PERFORM set_config('signet.tenant_id', v_tenant::text, true);
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id)
  VALUES (v_tenant, new_id(), p_action, p_actor, p_session, p_target_type, p_target, p_after, p_ip, p_request);
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
END
$$;
ALTER FUNCTION record_event(uuid, text, uuid, uuid, text, text, jsonb, text, uuid) OWNER TO signet_system;

-- Opens a session with its first refresh token, and returns what the access token says. No row: the person, the
-- membership or the tenant is not active (any more), or the password has changed since it was checked. The share lock makes
-- a suspension wait for the session that it has to end.
CREATE FUNCTION open_session(
  p_session uuid, p_user uuid, p_tenant uuid, p_checked_hash text, p_leaf bytea, p_amr text[], p_idle interval, p_life interval,
  p_action text, p_ip text, p_agent text, p_request uuid
) RETURNS TABLE (
  roles text[], permissions text[], kind text, status_list bigint, status_index integer, authenticated_at timestamptz,
  refresh_expires_at timestamptz, must_change boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v_kind text;
  v_must boolean;
  v_access record;
  v_list bigint;
  v_index integer;
  v_expires timestamptz := least(now() + p_idle, now() + p_life);
BEGIN
  PERFORM set_config('signet.tenant_id', u.tenant_id::text, true) FROM users u WHERE u.id = p_user;
  SELECT u.kind, c.must_change INTO v_kind, v_must
  FROM users u
  JOIN tenants t ON t.id = p_tenant AND t.status = 'active'
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  WHERE u.id = p_user AND u.status = 'active' AND (p_checked_hash IS NULL OR c.hash = p_checked_hash)
  FOR SHARE OF u;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_access FROM member_access(p_tenant, p_user);
  IF NOT v_access.is_member AND NOT v_access.is_platform_staff THEN RETURN; END IF;

  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  LOOP
    v_list := nextval('status_index_draws') / 65536 + 1;
    v_index := floor(random() * 131072);
    INSERT INTO sessions (tenant_id, id, user_id, amr, ip, user_agent, status_list, status_index, expires_at)
    VALUES (p_tenant, p_session, p_user, p_amr, p_ip, p_agent, v_list, v_index, now() + p_life)
    ON CONFLICT (status_list, status_index) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO refresh_tokens (tenant_id, session_id, leaf_hash, expires_at) VALUES (p_tenant, p_session, p_leaf, v_expires);
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id)
  VALUES (p_tenant, new_id(), p_action, p_user, p_session, 'session', p_session, jsonb_build_object('amr', p_amr), p_ip, p_request);

  RETURN QUERY SELECT v_access.roles, v_access.permissions, v_kind, v_list, v_index, now(), v_expires, coalesce(v_must, false);
END
$$;
ALTER FUNCTION open_session(uuid, uuid, uuid, text, bytea, text[], interval, interval, text, text, text, uuid) OWNER TO signet_system;

-- Spends a refresh token. One guarded UPDATE decides who rotates; all others learn from the row what became of it:
--   rotated  this call made the successor the live leaf
--   repeated another call did so within the grace: the caller derives the same successor again
--   reused   the token was spent before: the session is ended
--   ended    the session, the person, the membership or the tenant is over, or the token has expired
-- No row: there is no such session.
CREATE FUNCTION refresh_session(
  p_session uuid, p_presented bytea, p_successor bytea, p_grace interval, p_idle interval, p_ip text, p_request uuid
) RETURNS TABLE (
  outcome text, tenant_id uuid, user_id uuid, roles text[], permissions text[], kind text, amr text[], status_list bigint,
  status_index integer, authenticated_at timestamptz, refresh_expires_at timestamptz, must_change boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v record;
  v_outcome text;
  v_expires timestamptz;
BEGIN
  SELECT s.tenant_id, s.user_id, s.amr, s.status_list, s.status_index, s.authenticated_at, s.expires_at, s.ended_at, u.kind,
    u.status AS user_status, t.status AS tenant_status, c.must_change, a.roles, a.permissions, a.is_member OR a.is_platform_staff AS may_act
  INTO v
  FROM sessions s
  JOIN users u ON u.id = s.user_id
  JOIN tenants t ON t.id = s.tenant_id
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  CROSS JOIN LATERAL member_access(s.tenant_id, s.user_id) a
  WHERE s.id = p_session;
  IF NOT FOUND THEN RETURN; END IF;

  PERFORM set_config('signet.tenant_id', v.tenant_id::text, true);
  IF v.ended_at IS NOT NULL OR v.expires_at <= now() OR v.user_status <> 'active' OR v.tenant_status <> 'active' OR NOT v.may_act THEN
    v_outcome := 'ended';
  ELSE
    UPDATE refresh_tokens r
    SET leaf_hash = p_successor, previous_hash = p_presented, generation = r.generation + 1, rotated_at = now(),
      expires_at = least(now() + p_idle, v.expires_at)
    FROM sessions s
    WHERE r.tenant_id = v.tenant_id AND r.session_id = p_session AND r.leaf_hash = p_presented AND r.expires_at > now()
      AND s.tenant_id = r.tenant_id AND s.id = r.session_id AND s.ended_at IS NULL
    RETURNING r.expires_at INTO v_expires;
    IF FOUND THEN
      v_outcome := 'rotated';
    ELSE
      SELECT
        CASE
          WHEN s.ended_at IS NOT NULL THEN 'ended'
          WHEN r.leaf_hash = p_presented THEN 'ended'
          WHEN r.leaf_hash = p_successor AND r.previous_hash = p_presented AND r.rotated_at > clock_timestamp() - p_grace THEN 'repeated'
          ELSE 'reused'
        END,
        r.expires_at
      INTO v_outcome, v_expires
      FROM refresh_tokens r JOIN sessions s ON s.tenant_id = r.tenant_id AND s.id = r.session_id
      WHERE r.tenant_id = v.tenant_id AND r.session_id = p_session;
    END IF;
  END IF;

  IF v_outcome = 'reused' THEN
    UPDATE sessions s SET ended_at = now(), end_reason = 'refresh-token-reused'
    WHERE s.tenant_id = v.tenant_id AND s.id = p_session AND s.ended_at IS NULL;
  END IF;
  IF v_outcome <> 'repeated' THEN
    INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, ip, request_id)
    VALUES (v.tenant_id, new_id(),
      CASE v_outcome WHEN 'rotated' THEN 'token.refreshed' WHEN 'reused' THEN 'token.reused' ELSE 'token.refused' END,
      v.user_id, p_session, 'session', p_session, p_ip, p_request);
  END IF;

  RETURN QUERY SELECT v_outcome, v.tenant_id, v.user_id, v.roles, v.permissions, v.kind, v.amr, v.status_list, v.status_index,
    v.authenticated_at, v_expires, coalesce(v.must_change, false);
END
$$;
ALTER FUNCTION refresh_session(uuid, bytea, bytea, interval, interval, text, uuid) OWNER TO signet_system;

-- Ends the session of a refresh token whose seal the program has checked. True when it was this call that ended it.
CREATE FUNCTION end_session(p_session uuid, p_reason text, p_ip text, p_request uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v record;
BEGIN
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  WHERE s.id = p_session AND s.ended_at IS NULL
  RETURNING s.tenant_id, s.user_id INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM record_event(v.tenant_id, 'session.ended', v.user_id, p_session, 'session', p_session::text,
    jsonb_build_object('reason', p_reason), p_ip, p_request);
  RETURN true;
END
$$;
ALTER FUNCTION end_session(uuid, text, text, uuid) OWNER TO signet_system;

-- Ends the sessions of a person in every tenant, but for one. Only the home tenant acts on a person.
CREATE FUNCTION end_user_sessions(p_user uuid, p_except uuid, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_ended integer;
BEGIN
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  FROM users u
  WHERE u.id = p_user AND u.tenant_id = current_tenant() AND s.user_id = u.id AND s.ended_at IS NULL AND s.id IS DISTINCT FROM p_except;
  GET DIAGNOSTICS v_ended = ROW_COUNT;
  RETURN v_ended;
END
$$;
ALTER FUNCTION end_user_sessions(uuid, uuid, text) OWNER TO signet_system;

-- The actor behind a verified token, as the database holds them now. No row: person, session or tenant is over.
CREATE FUNCTION load_actor(p_user uuid, p_tenant uuid, p_session uuid)
RETURNS TABLE (roles text[], permissions text[], is_platform_staff boolean, must_change boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT a.roles,
    CASE WHEN a.is_platform_staff THEN (SELECT array_agg(code ORDER BY code) FROM permissions) ELSE a.permissions END,
    a.is_platform_staff,
    coalesce(c.must_change, false)
  FROM sessions s
  JOIN users u ON u.id = s.user_id AND u.status = 'active'
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  CROSS JOIN LATERAL member_access(p_tenant, p_user) a
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant AND s.ended_at IS NULL AND s.expires_at > now()
    AND (a.is_member OR a.is_platform_staff)
$$;
ALTER FUNCTION load_actor(uuid, uuid, uuid) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO signet_app, signet_system;
