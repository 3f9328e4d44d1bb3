-- What tokens say is decided without the database, from the token and the tenant's bundle. So a list of permissions in a token is
-- the whole truth at its time, and roles are named as decisions name them.
GRANT CREATE ON SCHEMA public TO signet_system;

-- As member_access, for tokens. `permissions` is null where a condition decides about any of them: what holds for one resource may
-- not for the next, and whoever decides asks the bundle. Platform staff are found in every tenant as `super_admin`, hold
-- everything and are bound by no policy, as in find_subjects and load_actor.
CREATE FUNCTION token_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  a record;
BEGIN
  SELECT * INTO a FROM member_access(p_tenant, p_user);
  roles := a.roles;
  permissions := CASE WHEN NOT a.is_conditional THEN a.permissions END;
  is_member := a.is_member;
  is_platform_staff := a.is_platform_staff;
  reach := a.reach;
  IF is_platform_staff THEN
    IF NOT 'super_admin' = ANY (roles) THEN roles := roles || 'super_admin'::text; END IF;
    permissions := ARRAY(SELECT p.code FROM permissions p ORDER BY p.code);
  END IF;
  RETURN NEXT;
END
$$;
ALTER FUNCTION token_access(uuid, uuid) OWNER TO signet_system;

-- As in 0019, and: roles and permissions as tokens say them.
CREATE OR REPLACE FUNCTION open_session(
  p_session uuid, p_user uuid, p_tenant uuid, p_checked_hash text, p_leaf bytea, p_amr text[], p_idle interval, p_life interval,
  p_action text, p_ip text, p_agent text, p_request uuid, p_kind text DEFAULT 'password', p_fingerprint bytea DEFAULT NULL,
  p_act uuid DEFAULT NULL, p_event uuid DEFAULT NULL, p_event_recipient text DEFAULT NULL, p_event_payload bytea DEFAULT NULL
) RETURNS TABLE (
  roles text[], permissions text[], kind text, status_list bigint, status_index integer, authenticated_at timestamptz,
  refresh_expires_at timestamptz, must_change boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v_home uuid;
  v_kind text;
  v_must boolean;
  v_access record;
  v_list bigint;
  v_index integer;
  v_expires timestamptz := least(now() + p_idle, now() + p_life);
BEGIN
  SELECT u.tenant_id INTO v_home FROM users u WHERE u.id = p_user;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM set_config('signet.tenant_id', v_home::text, true);
  SELECT u.kind INTO v_kind FROM users u WHERE u.id = p_user AND u.status = 'active' FOR SHARE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT c.must_change INTO v_must
  FROM tenants t
  LEFT JOIN password_credentials c ON c.tenant_id = v_home AND c.user_id = p_user
  WHERE t.id = p_tenant AND t.status = 'active'
    AND (p_checked_hash IS NULL OR p_checked_hash = CASE p_kind
      WHEN 'refresh-key' THEN (SELECT k.hash FROM refresh_keys k WHERE k.tenant_id = v_home AND k.user_id = p_user)
      ELSE c.hash END);
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_access FROM token_access(p_tenant, p_user);
  IF NOT v_access.is_member AND NOT v_access.is_platform_staff THEN RETURN; END IF;
  IF p_act IS NOT NULL AND NOT may_act_for(p_tenant, p_act, v_access.reach) THEN RETURN; END IF;

  IF p_act IS NULL THEN
    IF p_fingerprint IS NOT NULL THEN PERFORM remember_device(v_home, p_user, p_fingerprint); END IF;
    UPDATE account_counters c SET failures = 0, taken = 0
    WHERE c.tenant_id = v_home AND c.subject = p_user AND c.kind = p_kind AND c.failures > 0;
  END IF;

  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  LOOP
    v_list := nextval('status_index_draws') / 65536 + 1;
    v_index := floor(random() * 131072);
    INSERT INTO sessions (tenant_id, id, user_id, amr, ip, user_agent, status_list, status_index, expires_at, act_sub)
    VALUES (p_tenant, p_session, p_user, p_amr, p_ip, p_agent, v_list, v_index, now() + p_life, p_act)
    ON CONFLICT (status_list, status_index) DO NOTHING;
    EXIT WHEN FOUND;
  END LOOP;
  INSERT INTO refresh_tokens (tenant_id, session_id, leaf_hash, expires_at) VALUES (p_tenant, p_session, p_leaf, v_expires);
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id, user_agent)
  VALUES (p_tenant, new_id(), p_action, coalesce(p_act, p_user), p_session, 'session', p_session,
    jsonb_strip_nulls(jsonb_build_object('amr', p_amr, 'user_id', CASE WHEN p_act IS NOT NULL THEN p_user END)), p_ip, p_request, p_agent);
  IF p_event IS NOT NULL THEN
    INSERT INTO outbound_messages (tenant_id, id, channel, user_id, recipient, template, payload)
    VALUES (p_tenant, p_event, 'event', p_user, p_event_recipient, 'user.login', p_event_payload);
  END IF;

  RETURN QUERY SELECT v_access.roles, v_access.permissions, v_kind, v_list, v_index, now(), v_expires, coalesce(v_must, false);
END
$$;

-- As in 0019, and: roles and permissions as tokens say them.
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
    INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, ip, request_id, user_agent)
    VALUES (v.tenant_id, new_id(),
      CASE v_outcome WHEN 'rotated' THEN 'token.refreshed' WHEN 'reused' THEN 'token.reused' ELSE 'token.refused' END,
      coalesce(v.act_sub, v.user_id), p_session, 'session', p_session, p_ip, p_request, p_agent);
  END IF;

  RETURN QUERY SELECT v_outcome, v.tenant_id, v.user_id, v.roles, v.permissions, v.kind, v.amr, v.status_list, v.status_index,
    v.authenticated_at, v_expires, coalesce(v.must_change, false), v.act_sub;
END
$$;

-- As in 0011, and: roles and permissions as tokens say them.
CREATE OR REPLACE FUNCTION enter_tenant(
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
  SELECT s.amr, s.authenticated_at, s.expires_at, s.act_sub, coalesce(c.must_change, false) AS must_change INTO v_from
  FROM sessions s
  LEFT JOIN password_credentials c ON c.user_id = s.user_id
  WHERE s.id = p_from AND s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > now();
  IF NOT FOUND THEN
    outcome := 'ended';
    RETURN NEXT;
    RETURN;
  END IF;
  IF v_from.act_sub IS NOT NULL THEN
    outcome := 'refused';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT a.* INTO v_access FROM tenants t CROSS JOIN LATERAL token_access(t.id, p_user) a WHERE t.id = p_tenant AND t.status = 'active';
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
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id, user_agent)
  VALUES (p_tenant, new_id(), CASE WHEN v_access.is_member THEN 'session.opened' ELSE 'tenant.entered' END, p_user, p_session,
    'session', p_session, jsonb_build_object('amr', v_from.amr, 'from_session', p_from), p_ip, p_request, p_agent);
  RETURN QUERY SELECT 'entered', v_access.roles, v_access.permissions, v_kind, v_from.amr, v_list, v_index, v_from.authenticated_at,
    v_expires, v_from.must_change;
END
$$;

-- As in 0015, and: roles and permissions as tokens say them, and where the session's bit is.
DROP FUNCTION renew_session(uuid, uuid, uuid, text, interval, text, uuid, text);
CREATE FUNCTION renew_session(
  p_session uuid, p_user uuid, p_tenant uuid, p_checked_hash text, p_idle interval, p_ip text, p_request uuid, p_agent text
) RETURNS TABLE (
  roles text[], permissions text[], kind text, amr text[], authenticated_at timestamptz, refresh_expires_at timestamptz,
  must_change boolean, status_list bigint, status_index integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v_home uuid;
  v record;
  v_access record;
  v_expires timestamptz;
BEGIN
  SELECT u.tenant_id INTO v_home FROM users u WHERE u.id = p_user;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM set_config('signet.tenant_id', v_home::text, true);
  PERFORM FROM users u WHERE u.tenant_id = v_home AND u.id = p_user AND u.status = 'active' FOR SHARE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT s.amr, s.authenticated_at, s.expires_at, s.status_list, s.status_index, u.kind, coalesce(c.must_change, false) AS must_change INTO v
  FROM sessions s
  JOIN users u ON u.id = s.user_id
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  JOIN refresh_keys k ON k.tenant_id = u.tenant_id AND k.user_id = u.id AND k.hash = p_checked_hash
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant
    AND s.ended_at IS NULL AND s.expires_at > now() AND s.act_sub IS NULL;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_access FROM token_access(p_tenant, p_user);
  IF NOT v_access.is_member AND NOT v_access.is_platform_staff THEN RETURN; END IF;
  DELETE FROM account_counters c WHERE c.tenant_id = v_home AND c.subject = p_session AND c.kind = 'session-key';

  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  UPDATE refresh_tokens r SET expires_at = least(now() + p_idle, v.expires_at)
  WHERE r.tenant_id = p_tenant AND r.session_id = p_session AND r.expires_at > now()
  RETURNING r.expires_at INTO v_expires;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM record_event(p_tenant, 'token.refreshed', p_user, p_session, 'session', p_session::text,
    jsonb_build_object('way', 'refresh-key'), p_ip, p_request, p_agent);
  RETURN QUERY SELECT v_access.roles, v_access.permissions, v.kind, v.amr, v.authenticated_at, v_expires, v.must_change,
    v.status_list, v.status_index;
END
$$;
ALTER FUNCTION renew_session(uuid, uuid, uuid, text, interval, text, uuid, text) OWNER TO signet_system;

-- As in 0019, and: where the session's bit is.
DROP FUNCTION redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea);
CREATE FUNCTION redeem_client_token(
  p_token bytea, p_session uuid, p_leaf bytea, p_idle interval, p_life interval, p_fingerprint bytea, p_ip text, p_agent text,
  p_request uuid, p_event_recipient text, p_created_event uuid, p_created_payload bytea, p_login_event uuid, p_login_payload bytea
) RETURNS TABLE (
  tenant_id uuid, user_id uuid, act_sub uuid, amr text[], roles text[], permissions text[], kind text, authenticated_at timestamptz,
  refresh_expires_at timestamptz, must_change boolean, status_list bigint, status_index integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  c_acting_life constant interval := '24 hours';
  t record;
  s record;
  v_status text;
  v_user uuid;
  v_act uuid;
  v_amr text[];
BEGIN
  SELECT c.tenant_id, c.id, c.kind, c.advisor_id, c.user_id, c.invited_email, c.invited_name, o.status AS tenant_status INTO t
  FROM client_tokens c JOIN tenants o ON o.id = c.tenant_id WHERE c.token_hash = p_token;
  IF NOT FOUND THEN
    PERFORM record_event(NULL, 'client-token.refused', NULL, NULL, 'client-token', NULL, '{"reason": "unknown"}', p_ip, p_request, p_agent);
    RETURN;
  END IF;
  BEGIN
    PERFORM set_config('signet.tenant_id', t.tenant_id::text, true);
    UPDATE client_tokens c SET redeemed_at = now()
    WHERE c.tenant_id = t.tenant_id AND c.id = t.id AND c.redeemed_at IS NULL AND c.withdrawn_at IS NULL
      AND c.expires_at > clock_timestamp();
    IF NOT FOUND THEN
      SELECT CASE WHEN c.redeemed_at IS NOT NULL THEN 'redeemed' WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' ELSE 'expired' END
      INTO v_status FROM client_tokens c WHERE c.tenant_id = t.tenant_id AND c.id = t.id;
      RAISE EXCEPTION '%', coalesce(v_status, 'removed') USING ERRCODE = 'SG001';
    END IF;
    IF t.tenant_status <> 'active' THEN RAISE EXCEPTION 'tenant-%', t.tenant_status USING ERRCODE = 'SG001'; END IF;

    PERFORM set_config('signet.tenant_id', u.tenant_id::text, true) FROM users u WHERE u.id = t.advisor_id;
    SELECT u.status INTO v_status FROM users u WHERE u.id = t.advisor_id FOR SHARE;
    IF v_status IS DISTINCT FROM 'active' THEN RAISE EXCEPTION 'advisor-%', v_status USING ERRCODE = 'SG001'; END IF;
    PERFORM set_config('signet.tenant_id', t.tenant_id::text, true);
    PERFORM FROM memberships m
    JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id AND r.name = 'advisor'
    WHERE m.tenant_id = t.tenant_id AND m.user_id = t.advisor_id AND m.status = 'active'
    FOR SHARE OF m;
    IF NOT FOUND THEN RAISE EXCEPTION 'not-an-advisor' USING ERRCODE = 'SG001'; END IF;

    IF t.kind = 'access' THEN
      v_user := t.user_id;
      v_act := t.advisor_id;
      v_amr := ARRAY['adv'];
      PERFORM FROM advisor_clients a
      WHERE a.tenant_id = t.tenant_id AND a.advisor_id = v_act AND a.user_id = v_user FOR KEY SHARE;
      IF NOT FOUND THEN RAISE EXCEPTION 'not-assigned' USING ERRCODE = 'SG001'; END IF;
      SELECT u.status INTO v_status FROM users u WHERE u.id = v_user;
      IF v_status <> 'active' THEN RAISE EXCEPTION 'user-%', v_status USING ERRCODE = 'SG001'; END IF;
      PERFORM FROM member_access(t.tenant_id, v_user) a
      WHERE NOT a.is_platform_staff AND may_act_for(t.tenant_id, v_act, a.reach);
      IF NOT FOUND THEN RAISE EXCEPTION 'grant-exceeds-own' USING ERRCODE = 'SG001'; END IF;
      SELECT * INTO s FROM open_session(p_session, v_user, t.tenant_id, NULL, p_leaf, v_amr, p_idle, c_acting_life, 'session.opened',
        p_ip, p_agent, p_request, 'client-token', NULL, v_act);
    ELSE
      v_user := find_invited_person(t.tenant_id, t.invited_email, t.invited_name, t.advisor_id, p_ip, p_agent, p_request,
        p_created_event, p_event_recipient, p_created_payload);
      v_amr := ARRAY['otp'];
      UPDATE client_tokens c SET user_id = v_user WHERE c.tenant_id = t.tenant_id AND c.id = t.id;
      SELECT * INTO s FROM open_session(p_session, v_user, t.tenant_id, NULL, p_leaf, v_amr, p_idle, p_life, 'session.opened',
        p_ip, p_agent, p_request, 'code', p_fingerprint, NULL, p_login_event, p_event_recipient, p_login_payload);
    END IF;
    IF s.authenticated_at IS NULL THEN RAISE EXCEPTION 'changed-meanwhile' USING ERRCODE = 'SG001'; END IF;
    PERFORM record_event(t.tenant_id, 'client-token.redeemed', coalesce(v_act, v_user), p_session, 'user', v_user::text,
      jsonb_build_object('client_token_id', t.id, 'kind', t.kind, 'advisor_id', t.advisor_id), p_ip, p_request, p_agent);
  EXCEPTION WHEN SQLSTATE 'SG001' THEN
    PERFORM record_event(t.tenant_id, 'client-token.refused', NULL, NULL, 'client-token', t.id::text,
      jsonb_build_object('reason', SQLERRM, 'kind', t.kind), p_ip, p_request, p_agent);
    RETURN;
  END;
  RETURN QUERY SELECT t.tenant_id, v_user, v_act, v_amr, s.roles, s.permissions, s.kind, s.authenticated_at, s.refresh_expires_at,
    s.must_change, s.status_list, s.status_index;
END
$$;
ALTER FUNCTION redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea)
  OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION token_access(uuid, uuid), renew_session(uuid, uuid, uuid, text, interval, text, uuid, text),
  redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION token_access(uuid, uuid) TO signet_system;
GRANT EXECUTE ON FUNCTION renew_session(uuid, uuid, uuid, text, interval, text, uuid, text),
  redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea)
  TO signet_app, signet_system;
