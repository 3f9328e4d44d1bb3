-- A refresh key beside a token that we signed: it renews the session of that token, also when the token has expired.
GRANT CREATE ON SCHEMA public TO signet_system;

-- One guess at the refresh key of whoever's session this is. `hash` is null where there is no key, and no guess is counted.
-- No row: the session, its person or its tenant is over, or somebody acts for the person in it. Whoever is right before the
-- fifth wrong guess begins anew; `turn` is null or above five where no guess is left. Guesses at one session wait for one another,
-- and none of them for the disk (as in 0011).
CREATE FUNCTION begin_renewal(p_session uuid, p_user uuid, p_tenant uuid)
RETURNS TABLE (home_tenant_id uuid, hash text, turn integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  v record;
  v_turn integer;
BEGIN
  SELECT u.tenant_id AS home, k.hash INTO v
  FROM sessions s
  JOIN refresh_tokens r ON r.tenant_id = s.tenant_id AND r.session_id = s.id AND r.expires_at > now()
  JOIN users u ON u.id = s.user_id AND u.status = 'active'
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  LEFT JOIN refresh_keys k ON k.tenant_id = u.tenant_id AND k.user_id = u.id
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant
    AND s.ended_at IS NULL AND s.expires_at > now() AND s.act_sub IS NULL;
  IF NOT FOUND THEN RETURN; END IF;
  IF v.hash IS NOT NULL THEN
    PERFORM set_config('signet.tenant_id', v.home::text, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT t.turn INTO v_turn FROM take_turn(v.home, p_session, 'session-key', 5, '30 days') t;
  END IF;
  RETURN QUERY SELECT v.home, v.hash, v_turn;
END
$$;
ALTER FUNCTION begin_renewal(uuid, uuid, uuid) OWNER TO signet_system;

-- The session lives on as after a refresh, and its refresh token stays as it is: whoever renews by key has none. No row: what
-- was checked holds no longer. The share lock makes a suspension or a change of the password wait, or be waited for.
CREATE FUNCTION renew_session(
  p_session uuid, p_user uuid, p_tenant uuid, p_checked_hash text, p_idle interval, p_ip text, p_request uuid, p_agent text
) RETURNS TABLE (
  roles text[], permissions text[], kind text, amr text[], authenticated_at timestamptz, refresh_expires_at timestamptz,
  must_change boolean
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
  SELECT s.amr, s.authenticated_at, s.expires_at, u.kind, coalesce(c.must_change, false) AS must_change INTO v
  FROM sessions s
  JOIN users u ON u.id = s.user_id
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  JOIN refresh_keys k ON k.tenant_id = u.tenant_id AND k.user_id = u.id AND k.hash = p_checked_hash
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant
    AND s.ended_at IS NULL AND s.expires_at > now() AND s.act_sub IS NULL;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO v_access FROM member_access(p_tenant, p_user);
  IF NOT v_access.is_member AND NOT v_access.is_platform_staff THEN RETURN; END IF;
  DELETE FROM account_counters c WHERE c.tenant_id = v_home AND c.subject = p_session AND c.kind = 'session-key';

  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  UPDATE refresh_tokens r SET expires_at = least(now() + p_idle, v.expires_at)
  WHERE r.tenant_id = p_tenant AND r.session_id = p_session AND r.expires_at > now()
  RETURNING r.expires_at INTO v_expires;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM record_event(p_tenant, 'token.refreshed', p_user, p_session, 'session', p_session::text,
    jsonb_build_object('way', 'refresh-key'), p_ip, p_request, p_agent);
  RETURN QUERY SELECT v_access.roles, v_access.permissions, v.kind, v.amr, v.authenticated_at, v_expires, v.must_change;
END
$$;
ALTER FUNCTION renew_session(uuid, uuid, uuid, text, interval, text, uuid, text) OWNER TO signet_system;

-- Whoever reopens what strangers have locked takes the failures of the known devices away too.
GRANT UPDATE (failures, taken) ON known_devices TO signet_app;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION begin_renewal(uuid, uuid, uuid), renew_session(uuid, uuid, uuid, text, interval, text, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_renewal(uuid, uuid, uuid), renew_session(uuid, uuid, uuid, text, interval, text, uuid, text)
  TO signet_app, signet_system;
