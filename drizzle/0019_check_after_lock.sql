-- As in 0011, and: what was checked is read again after the lock on the person, in a statement of its own. Whoever takes a
-- password or a key away holds that lock, and a session that waited for it saw the secret as it was before.
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
  SELECT * INTO v_access FROM member_access(p_tenant, p_user);
  IF NOT v_access.is_member AND NOT v_access.is_platform_staff THEN RETURN; END IF;
  IF p_act IS NOT NULL AND NOT may_act_for(p_tenant, p_act, v_access.permissions) THEN RETURN; END IF;

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
