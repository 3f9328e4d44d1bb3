-- Functions for several at once have one plan for any number: left to itself the server makes one for each list anew, which costs more than
-- all else. It believes that they give one row, and so finds each row beside theirs by its ids: for sixteen it would read all of a tenant's
-- where it takes tenants to be small.
GRANT CREATE ON SCHEMA public TO signet_system;

-- As member_access of 0041, for several at once: person `place` of p_users in tenant `place` of p_tenants. Memberships and roles, which are
-- most of what it costs, are read by one statement for all.
CREATE FUNCTION member_accesses(p_tenants uuid[], p_users uuid[])
RETURNS TABLE (
  place bigint, roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[], grantable text[],
  is_conditional boolean, kind text, parent_id uuid, role_ids uuid[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v record;
  v_ceiling record;
  v_platform uuid := (SELECT t.id FROM tenants t WHERE t.is_platform);
BEGIN
  FOR v IN
    SELECT c.*, a.*
    FROM unnest(p_tenants, p_users) WITH ORDINALITY AS c (tenant_id, user_id, place)
    CROSS JOIN LATERAL (
      SELECT
        coalesce(bool_or(m.tenant_id = c.tenant_id), false) AS is_member,
        coalesce(bool_or(m.tenant_id = v_platform AND r.holds = 'all'), false) AS is_platform_staff,
        coalesce(array_agg(r.name ORDER BY r.name) FILTER (WHERE m.tenant_id = c.tenant_id AND r.id IS NOT NULL), '{}') AS roles,
        coalesce(array_agg(r.id) FILTER (WHERE m.tenant_id = c.tenant_id AND r.id IS NOT NULL), '{}') AS role_ids,
        coalesce(bool_or(m.tenant_id = c.tenant_id AND r.holds = 'all'), false) AS holds_all,
        coalesce(bool_or(m.tenant_id = c.tenant_id AND r.holds = 'tenant'), false) AS holds_tenant
      FROM memberships m
      LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
      LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
      WHERE m.tenant_id IN (c.tenant_id, v_platform) AND m.user_id = c.user_id AND m.status = 'active'
    ) a
  LOOP
    place := v.place;
    roles := v.roles;
    role_ids := v.role_ids;
    is_member := v.is_member;
    is_platform_staff := v.is_platform_staff;

    IF is_platform_staff AND NOT is_member THEN
      roles := ARRAY['super_admin'];
      v.holds_all := true;
    END IF;
    IF v.holds_all THEN
      permissions := ARRAY(SELECT p.code FROM permissions p ORDER BY p.code);
    ELSIF v.holds_tenant THEN
      permissions := ARRAY(SELECT p.code FROM permissions p WHERE NOT p.is_platform ORDER BY p.code);
    ELSIF role_ids <> '{}' THEN
      permissions := ARRAY(
        SELECT DISTINCT rp.permission_code FROM role_permissions rp
        WHERE rp.tenant_id = v.tenant_id AND rp.role_id = ANY (role_ids) ORDER BY 1);
    ELSE
      permissions := '{}';
    END IF;
    reach := permissions;
    grantable := permissions;
    is_conditional := false;

    IF EXISTS (SELECT FROM policy_statements s WHERE s.tenant_id = v.tenant_id) AND (is_member OR NOT is_platform_staff) THEN
      SELECT a.permissions, a.reach, a.grantable, a.is_conditional INTO permissions, reach, grantable, is_conditional
      FROM apply_policies(v.tenant_id, v.user_id, role_ids, permissions) a;
    END IF;

    SELECT u.kind, u.parent_id INTO kind, parent_id FROM users u WHERE u.id = v.user_id;
    IF parent_id IS NOT NULL THEN
      SELECT a.* INTO v_ceiling FROM member_access(v.tenant_id, parent_id) a;
      permissions := ARRAY(SELECT unnest(permissions) INTERSECT SELECT unnest(v_ceiling.permissions) ORDER BY 1);
      reach := ARRAY(SELECT unnest(reach) INTERSECT SELECT unnest(v_ceiling.reach) ORDER BY 1);
      grantable := ARRAY(SELECT unnest(grantable) INTERSECT SELECT unnest(v_ceiling.grantable) ORDER BY 1);
      is_conditional := is_conditional OR v_ceiling.is_conditional;
      is_platform_staff := is_platform_staff AND v_ceiling.is_platform_staff;
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
ALTER FUNCTION member_accesses(uuid[], uuid[]) OWNER TO signet_system;

CREATE OR REPLACE FUNCTION member_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (
  roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[], grantable text[],
  is_conditional boolean, kind text, parent_id uuid, role_ids uuid[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT a.roles, a.permissions, a.is_member, a.is_platform_staff, a.reach, a.grantable, a.is_conditional, a.kind, a.parent_id, a.role_ids
  FROM member_accesses(ARRAY[p_tenant], ARRAY[p_user]) a;
END
$$;

-- As token_access of 0031, for several at once.
CREATE FUNCTION token_accesses(p_tenants uuid[], p_users uuid[])
RETURNS TABLE (place bigint, roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN QUERY
  SELECT a.place,
    CASE WHEN a.is_platform_staff AND NOT 'super_admin' = ANY (a.roles) THEN a.roles || 'super_admin'::text ELSE a.roles END,
    CASE
      WHEN a.is_platform_staff THEN ARRAY(SELECT p.code FROM permissions p ORDER BY p.code)
      WHEN NOT a.is_conditional THEN a.permissions
    END,
    a.is_member, a.is_platform_staff, a.reach
  FROM member_accesses(p_tenants, p_users) a;
END
$$;
ALTER FUNCTION token_accesses(uuid[], uuid[]) OWNER TO signet_system;

CREATE OR REPLACE FUNCTION token_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT a.roles, a.permissions, a.is_member, a.is_platform_staff, a.reach FROM token_accesses(ARRAY[p_tenant], ARRAY[p_user]) a;
END
$$;

-- A session whose person may refresh it, and its call's place.
CREATE TYPE refreshable_session AS (
  place bigint, tenant_id uuid, id uuid, user_id uuid, roles text[], permissions text[], kind text, amr text[], status_list bigint,
  status_index integer, authenticated_at timestamptz, expires_at timestamptz, must_change boolean, act_sub uuid
);

-- Spends the tokens that may be spent, several at once: token `place` of p_presented, of session `place` of p_sessions. No row says that a
-- token was not spent; refresh_session tells why. What is read is read for all. The rows of a tenant are written by one statement under that
-- tenant, tenants in the order of their ids and each one's sessions in that of theirs, so that no two calls wait for each other.
CREATE FUNCTION refresh_sessions(
  p_sessions uuid[], p_presented bytea[], p_successors bytea[], p_idle interval[], p_ips text[], p_requests uuid[], p_agents text[]
) RETURNS TABLE (
  place bigint, tenant_id uuid, user_id uuid, roles text[], permissions text[], kind text, amr text[], status_list bigint,
  status_index integer, authenticated_at timestamptz, refresh_expires_at timestamptz, must_change boolean, act_sub uuid
)
LANGUAGE plpgsql SECURITY DEFINER ROWS 16
SET search_path = public, pg_temp SET lock_timeout = '2s' SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_refreshable refreshable_session[];
  v_tenant uuid;
BEGIN
  v_refreshable := ARRAY(
    WITH living AS MATERIALIZED (
      SELECT row_number() OVER () AS number, c.place, s.*
      FROM unnest(p_sessions) WITH ORDINALITY AS c (session_id, place)
      CROSS JOIN LATERAL (
        SELECT s.tenant_id, s.id, s.user_id, s.amr, s.status_list, s.status_index, s.authenticated_at, s.expires_at, s.act_sub, u.kind,
          coalesce(p.must_change, false) AS must_change
        FROM sessions s
        JOIN tenants t ON t.id = s.tenant_id
        JOIN users u ON u.id = s.user_id
        LEFT JOIN password_credentials p ON p.tenant_id = u.tenant_id AND p.user_id = u.id
        WHERE s.id = c.session_id AND s.ended_at IS NULL AND s.expires_at > now() AND t.status = 'active' AND u.status = 'active'
        OFFSET 0 -- each by its own id, whatever the server believes of their number
      ) s
    )
    SELECT ROW(l.place, l.tenant_id, l.id, l.user_id, a.roles, a.permissions, l.kind, l.amr, l.status_list, l.status_index,
      l.authenticated_at, l.expires_at, l.must_change, l.act_sub)::refreshable_session
    FROM living l
    JOIN token_accesses(
      (SELECT array_agg(l.tenant_id ORDER BY l.number) FROM living l),
      (SELECT array_agg(l.user_id ORDER BY l.number) FROM living l)) a ON a.place = l.number
    WHERE (a.is_member OR a.is_platform_staff) AND (l.act_sub IS NULL OR may_act_for(l.tenant_id, l.act_sub, a.reach))
    ORDER BY l.id
  );
  FOR v_tenant IN SELECT DISTINCT a.tenant_id FROM unnest(v_refreshable) a ORDER BY a.tenant_id LOOP
    PERFORM set_config('signet.tenant_id', v_tenant::text, true);
    RETURN QUERY
    WITH rotated AS (
      UPDATE refresh_tokens r
      SET leaf_hash = p_successors[a.place], previous_hash = p_presented[a.place], generation = r.generation + 1, rotated_at = now(),
        expires_at = least(now() + p_idle[a.place], a.expires_at)
      FROM unnest(v_refreshable) a JOIN sessions s ON s.tenant_id = a.tenant_id AND s.id = a.id
      WHERE a.tenant_id = v_tenant AND r.tenant_id = a.tenant_id AND r.session_id = a.id AND r.leaf_hash = p_presented[a.place]
        AND r.expires_at > now() AND s.ended_at IS NULL
      RETURNING a.*, r.expires_at AS refresh_expires_at
    ),
    recorded AS (
      INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, ip, request_id, user_agent)
      SELECT r.tenant_id, new_id(), 'token.refreshed', coalesce(r.act_sub, r.user_id), r.id, 'session', r.id,
        p_ips[r.place], p_requests[r.place], p_agents[r.place]
      FROM rotated r
    )
    SELECT r.place, r.tenant_id, r.user_id, r.roles, r.permissions, r.kind, r.amr, r.status_list, r.status_index, r.authenticated_at,
      r.refresh_expires_at, r.must_change, r.act_sub
    FROM rotated r;
  END LOOP;
END
$$;
ALTER FUNCTION refresh_sessions(uuid[], bytea[], bytea[], interval[], text[], uuid[], text[]) OWNER TO signet_system;

-- As in 0031, and: refresh_sessions alone spends a token; this one tells why one was not, and ends the session of one that was reused.
CREATE OR REPLACE FUNCTION refresh_session(
  p_session uuid, p_presented bytea, p_successor bytea, p_grace interval, p_idle interval, p_ip text, p_request uuid, p_agent text
) RETURNS TABLE (
  outcome text, tenant_id uuid, user_id uuid, roles text[], permissions text[], kind text, amr text[], status_list bigint,
  status_index integer, authenticated_at timestamptz, refresh_expires_at timestamptz, must_change boolean, act_sub uuid
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
  RETURN QUERY
  SELECT 'rotated', r.tenant_id, r.user_id, r.roles, r.permissions, r.kind, r.amr, r.status_list, r.status_index, r.authenticated_at,
    r.refresh_expires_at, r.must_change, r.act_sub
  FROM refresh_sessions(
    ARRAY[p_session], ARRAY[p_presented], ARRAY[p_successor], ARRAY[p_idle], ARRAY[p_ip], ARRAY[p_request], ARRAY[p_agent]) r;
  IF FOUND THEN RETURN; END IF;

  SELECT s.tenant_id, s.user_id, s.amr, s.status_list, s.status_index, s.authenticated_at, s.expires_at, s.ended_at, s.act_sub, u.kind,
    u.status AS user_status, t.status AS tenant_status, c.must_change, a.roles, a.permissions, a.reach, a.is_member OR a.is_platform_staff AS may_act
  INTO v
  FROM sessions s
  JOIN users u ON u.id = s.user_id
  JOIN tenants t ON t.id = s.tenant_id
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  CROSS JOIN LATERAL token_access(s.tenant_id, s.user_id) a
  WHERE s.id = p_session;
  IF NOT FOUND THEN RETURN; END IF;

  PERFORM set_config('signet.tenant_id', v.tenant_id::text, true);
  IF v.ended_at IS NOT NULL OR v.expires_at <= now() OR v.user_status <> 'active' OR v.tenant_status <> 'active' OR NOT v.may_act THEN
    v_outcome := 'ended';
  ELSIF v.act_sub IS NOT NULL AND NOT may_act_for(v.tenant_id, v.act_sub, v.reach) THEN
    v_outcome := 'ended';
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

  IF v_outcome = 'reused' THEN
    UPDATE sessions s SET ended_at = now(), end_reason = 'refresh-token-reused'
    WHERE s.tenant_id = v.tenant_id AND s.id = p_session AND s.ended_at IS NULL;
  END IF;
  IF v_outcome <> 'repeated' THEN
    INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, ip, request_id, user_agent)
    VALUES (v.tenant_id, new_id(), CASE v_outcome WHEN 'reused' THEN 'token.reused' ELSE 'token.refused' END,
      coalesce(v.act_sub, v.user_id), p_session, 'session', p_session, p_ip, p_request, p_agent);
  END IF;

  RETURN QUERY SELECT v_outcome, v.tenant_id, v.user_id, v.roles, v.permissions, v.kind, v.amr, v.status_list, v.status_index,
    v.authenticated_at, v_expires, coalesce(v.must_change, false), v.act_sub;
END
$$;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION member_accesses(uuid[], uuid[]), token_accesses(uuid[], uuid[]),
  refresh_sessions(uuid[], bytea[], bytea[], interval[], text[], uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION member_accesses(uuid[], uuid[]), token_accesses(uuid[], uuid[]) TO signet_system;
GRANT EXECUTE ON FUNCTION refresh_sessions(uuid[], bytea[], bytea[], interval[], text[], uuid[], text[]) TO signet_app, signet_system;
