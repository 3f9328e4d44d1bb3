-- Sign-in counts what it evaluates, before it evaluates it; sessions know for whom somebody acts; the security log knows the
-- device. The functions of 0005 and 0008 take more than they did, so they are made anew.
GRANT CREATE ON SCHEMA public TO signet_system;

DROP FUNCTION record_event(uuid, text, uuid, uuid, text, text, jsonb, text, uuid);
CREATE FUNCTION record_event(
  p_tenant uuid, p_action text, p_actor uuid, p_session uuid, p_target_type text, p_target text, p_after jsonb, p_ip text, p_request uuid,
  p_agent text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
  v_platform uuid := platform_tenant();
  v_tenant uuid := coalesce(p_tenant, v_platform);
BEGIN
  IF v_tenant IS NULL THEN RETURN; END IF;
  PERFORM set_config('signet.tenant_id', v_tenant::text, true);
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id, user_agent)
  VALUES (v_tenant, new_id(), p_action, p_actor, p_session, p_target_type, p_target, p_after, p_ip, p_request, p_agent);
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
END
$$;
ALTER FUNCTION record_event(uuid, text, uuid, uuid, text, text, jsonb, text, uuid, text) OWNER TO signet_system;

-- Rows without a company belong to it. In plpgsql, whose plan is kept; and asked for whoever it is about, where only rows of people
-- whom nobody knows need it: the time that it takes tells them from the others.
CREATE FUNCTION platform_tenant() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  RETURN (SELECT id FROM tenants WHERE is_platform);
END
$$;
ALTER FUNCTION platform_tenant() OWNER TO signet_system;

-- Takes one of `p_limit` turns within the window. One guarded statement, so that of any number who try at once exactly so
-- many get one. `turn` is its number; one above the limit is the first refusal of this window, null each further one. A failure in
-- a row is an attempt that was evaluated: one that was refused counts for nothing. The tenant has to be set.
CREATE FUNCTION take_turn(p_tenant uuid, p_subject uuid, p_kind text, p_limit integer, p_window interval)
RETURNS TABLE (turn integer, failures integer, retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  INSERT INTO account_counters AS c (tenant_id, subject, kind, failures, taken) VALUES (p_tenant, p_subject, p_kind, 1, 1)
  ON CONFLICT (tenant_id, subject, kind) DO UPDATE SET
    failures = c.failures + CASE WHEN c.window_started_at <= clock_timestamp() - p_window OR c.taken < p_limit THEN 1 ELSE 0 END,
    taken = CASE WHEN c.window_started_at <= clock_timestamp() - p_window THEN 1 ELSE c.taken + 1 END,
    window_started_at = CASE WHEN c.window_started_at <= clock_timestamp() - p_window THEN clock_timestamp() ELSE c.window_started_at END
  WHERE c.window_started_at <= clock_timestamp() - p_window OR c.taken <= p_limit
  RETURNING c.taken, c.failures, ceil(extract(epoch FROM c.window_started_at + p_window - clock_timestamp()))::integer;
  IF FOUND THEN RETURN; END IF;
  RETURN QUERY
  SELECT NULL::integer, c.failures, greatest(1, ceil(extract(epoch FROM c.window_started_at + p_window - clock_timestamp()))::integer)
  FROM account_counters c WHERE c.tenant_id = p_tenant AND c.subject = p_subject AND c.kind = p_kind;
END
$$;
ALTER FUNCTION take_turn(uuid, uuid, text, integer, interval) OWNER TO signet_system;

-- The same for a known device, whose failures are its own. No row: this device is not known, or not any more.
CREATE FUNCTION take_device_turn(
  p_tenant uuid, p_user uuid, p_fingerprint bytea, p_limit integer, p_cap integer, p_window interval
) RETURNS TABLE (turn integer, failures integer, retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  UPDATE known_devices d SET
    failures = d.failures + CASE WHEN d.window_started_at <= clock_timestamp() - p_window OR d.taken < p_limit THEN 1 ELSE 0 END,
    taken = CASE WHEN d.window_started_at <= clock_timestamp() - p_window THEN 1 ELSE d.taken + 1 END,
    window_started_at = CASE WHEN d.window_started_at <= clock_timestamp() - p_window THEN clock_timestamp() ELSE d.window_started_at END
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.fingerprint = p_fingerprint AND d.failures < p_cap
    AND (d.window_started_at <= clock_timestamp() - p_window OR d.taken <= p_limit)
  RETURNING d.taken, d.failures, ceil(extract(epoch FROM d.window_started_at + p_window - clock_timestamp()))::integer;
  IF FOUND THEN RETURN; END IF;
  RETURN QUERY
  SELECT NULL::integer, d.failures, greatest(1, ceil(extract(epoch FROM d.window_started_at + p_window - clock_timestamp()))::integer)
  FROM known_devices d
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.fingerprint = p_fingerprint AND d.failures < p_cap;
END
$$;
ALTER FUNCTION take_device_turn(uuid, uuid, bytea, integer, integer, interval) OWNER TO signet_system;

-- One attempt at a secret of a person (a password, a refresh key): ten in a quarter of an hour and a hundred in a row from
-- devices that are not known, and as many from each known one. `p_subject` stands for a person whom nobody knows, so that
-- known and unknown cost the same and are refused alike.
--   allowed    the attempt may be evaluated
--   throttled  not before `retry_after` seconds
--   locked     not from a device that is not known, until the counter is taken away
-- `is_first` is true for the attempt that met the limit first.
CREATE FUNCTION take_attempt(p_tenant uuid, p_user uuid, p_subject uuid, p_kind text, p_fingerprint bytea)
RETURNS TABLE (verdict text, retry_after integer, is_first boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  c_limit constant integer := 10;
  c_cap constant integer := 100;
  c_window constant interval := '15 minutes';
  v record;
BEGIN
  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  -- What a crash of the server forgets is the count of some milliseconds; waiting for the disk would cost each sign-in more.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO v FROM take_device_turn(p_tenant, p_user, p_fingerprint, c_limit, c_cap, c_window);
  IF NOT FOUND THEN
    SELECT * INTO v FROM take_turn(p_tenant, coalesce(p_user, p_subject), p_kind, c_limit, c_window);
  END IF;
  IF v.failures > c_cap THEN
    RETURN QUERY SELECT 'locked', 86400, v.failures = c_cap + 1 AND v.turn IS NOT NULL;
  ELSIF v.turn <= c_limit THEN
    RETURN QUERY SELECT 'allowed', NULL::integer, false;
  ELSE
    RETURN QUERY SELECT 'throttled', greatest(1, v.retry_after), v.turn IS NOT NULL;
  END IF;
END
$$;
ALTER FUNCTION take_attempt(uuid, uuid, uuid, text, bytea) OWNER TO signet_system;

-- The person behind an identifier, as find_sign_in says, with the secret of the kind that is asked for and the verdict on
-- this attempt: one row always, one statement, whoever it is.
CREATE FUNCTION begin_sign_in(
  p_kind text, p_email text, p_username text, p_phone text, p_tenant_slug text, p_default_slug text, p_subject uuid, p_fingerprint bytea
) RETURNS TABLE (
  user_id uuid, home_tenant_id uuid, tenant_id uuid, hash text, refusal text, verdict text, retry_after integer, is_first boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  p record;
  a record;
  v_hash text;
  v_platform uuid := platform_tenant();
BEGIN
  SELECT f.user_id, f.home_tenant_id, f.tenant_id, f.hash, f.refusal INTO p
  FROM find_sign_in(p_email, p_username, p_phone, p_tenant_slug,
    coalesce(p_default_slug, (SELECT slug FROM tenants WHERE NOT is_platform ORDER BY created_at, id LIMIT 1))) f;
  v_hash := p.hash;
  IF p_kind = 'refresh-key' THEN
    SELECT k.hash INTO v_hash FROM refresh_keys k WHERE k.user_id = p.user_id AND NOT k.is_short;
    IF p.refusal = 'no-password' THEN p.refusal := NULL; END IF;
    IF v_hash IS NULL THEN p.refusal := coalesce(p.refusal, 'no-refresh-key'); END IF;
  END IF;
  SELECT * INTO a FROM take_attempt(coalesce(p.home_tenant_id, v_platform), p.user_id, p_subject, p_kind, p_fingerprint);
  RETURN QUERY SELECT p.user_id, p.home_tenant_id, p.tenant_id, v_hash, p.refusal, a.verdict, a.retry_after, a.is_first;
END
$$;
ALTER FUNCTION begin_sign_in(text, text, text, text, text, text, uuid, bytea) OWNER TO signet_system;

-- The way in `p_kind` has just been locked for devices that are not known. The event stands where the sign-in was meant for,
-- the message in the person's home tenant. For a name that nobody has, and for a person without an address, a message is made
-- all the same and dropped: known and unknown cost the same.
CREATE FUNCTION record_lock(
  p_where uuid, p_home uuid, p_user uuid, p_kind text, p_message uuid, p_payload bytea, p_ip text, p_request uuid, p_agent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_platform uuid := platform_tenant();
  v_home uuid := coalesce(p_home, v_platform);
  v_email text;
BEGIN
  PERFORM record_event(coalesce(p_where, v_home), 'sign-in.locked', NULL, NULL, 'user', p_user::text,
    jsonb_build_object('reason', p_kind), p_ip, p_request, p_agent);
  PERFORM set_config('signet.tenant_id', v_home::text, true);
  SELECT u.email INTO v_email FROM users u WHERE u.id = p_user AND u.status = 'active';
  INSERT INTO outbound_messages (tenant_id, id, channel, user_id, recipient, template, payload, status, finished_at)
  VALUES (v_home, p_message, 'email', p_user, coalesce(v_email, ''), 'way-in-locked', CASE WHEN v_email IS NOT NULL THEN p_payload END,
    CASE WHEN v_email IS NULL THEN 'dropped' ELSE 'queued' END, CASE WHEN v_email IS NULL THEN now() END);
END
$$;
ALTER FUNCTION record_lock(uuid, uuid, uuid, text, uuid, bytea, text, uuid, text) OWNER TO signet_system;

-- As in 0005, and: what was checked is read again after the lock on the person, in a statement of its own: whoever takes a
-- password or a key away holds that lock, and a session that waited for it saw the secret as it was before. Takes back the counters of the way in that was used and remembers the device, unless somebody acts for the
-- person. `p_secret` says what p_checked_hash is the hash of. An event for another service goes into the outbox with it.
DROP FUNCTION open_session(uuid, uuid, uuid, text, bytea, text[], interval, interval, text, text, text, uuid);
CREATE FUNCTION open_session(
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
ALTER FUNCTION open_session(uuid, uuid, uuid, text, bytea, text[], interval, interval, text, text, text, uuid, text, bytea, uuid, uuid, text, bytea)
  OWNER TO signet_system;

-- Advisors act for nobody who holds more than they do: asked when the session is opened, and again whenever it is used.
CREATE FUNCTION may_act_for(p_tenant uuid, p_act uuid, p_permissions text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM users u CROSS JOIN LATERAL member_access(p_tenant, u.id) a
    WHERE u.id = p_act AND u.status = 'active' AND a.is_member AND 'advisor' = ANY (a.roles) AND a.permissions @> p_permissions)
$$;
ALTER FUNCTION may_act_for(uuid, uuid, text[]) OWNER TO signet_system;

-- A device from which the person has just signed in. The oldest beyond fifty are forgotten. The tenant has to be set.
CREATE FUNCTION remember_device(p_tenant uuid, p_user uuid, p_fingerprint bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  UPDATE known_devices d SET failures = 0, taken = 0, last_used_at = now()
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.fingerprint = p_fingerprint;
  IF FOUND THEN RETURN; END IF;
  INSERT INTO known_devices (tenant_id, user_id, fingerprint) VALUES (p_tenant, p_user, p_fingerprint) ON CONFLICT DO NOTHING;
  DELETE FROM known_devices d
  WHERE d.tenant_id = p_tenant AND d.user_id = p_user AND d.fingerprint IN (
    SELECT o.fingerprint FROM known_devices o WHERE o.tenant_id = p_tenant AND o.user_id = p_user
    ORDER BY o.last_used_at DESC OFFSET 50);
END
$$;
ALTER FUNCTION remember_device(uuid, uuid, bytea) OWNER TO signet_system;

-- As in 0005, and: says who acts, whose own standing is asked for again.
DROP FUNCTION refresh_session(uuid, bytea, bytea, interval, interval, text, uuid);
CREATE FUNCTION refresh_session(
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
  ELSIF v.act_sub IS NOT NULL AND NOT may_act_for(v.tenant_id, v.act_sub, v.permissions) THEN
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
ALTER FUNCTION refresh_session(uuid, bytea, bytea, interval, interval, text, uuid, text) OWNER TO signet_system;

-- Ends the session of a token that the program has verified. True when it was this call that ended it.
DROP FUNCTION end_session(uuid, text, text, uuid);
CREATE FUNCTION end_session(p_session uuid, p_reason text, p_ip text, p_request uuid, p_agent text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v record;
BEGIN
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  WHERE s.id = p_session AND s.ended_at IS NULL
  RETURNING s.tenant_id, s.user_id, s.act_sub INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM record_event(v.tenant_id, 'session.ended', coalesce(v.act_sub, v.user_id), p_session, 'session', p_session::text,
    jsonb_build_object('reason', p_reason), p_ip, p_request, p_agent);
  RETURN true;
END
$$;
ALTER FUNCTION end_session(uuid, text, text, uuid, text) OWNER TO signet_system;

-- As in 0005, and: who acts for the person, while they may. Nobody acts for platform staff, who hold everything wherever they are.
DROP FUNCTION load_actor(uuid, uuid, uuid);
CREATE FUNCTION load_actor(p_user uuid, p_tenant uuid, p_session uuid)
RETURNS TABLE (roles text[], permissions text[], is_platform_staff boolean, must_change boolean, act_sub uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT a.roles,
    CASE WHEN a.is_platform_staff THEN (SELECT array_agg(code ORDER BY code) FROM permissions) ELSE a.permissions END,
    a.is_platform_staff,
    coalesce(c.must_change, false),
    s.act_sub
  FROM sessions s
  JOIN users u ON u.id = s.user_id AND u.status = 'active'
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  LEFT JOIN password_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  CROSS JOIN LATERAL member_access(p_tenant, p_user) a
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant AND s.ended_at IS NULL AND s.expires_at > now()
    AND (a.is_member OR a.is_platform_staff)
    AND (s.act_sub IS NULL OR (NOT a.is_platform_staff AND may_act_for(p_tenant, s.act_sub, a.permissions)))
$$;
ALTER FUNCTION load_actor(uuid, uuid, uuid) OWNER TO signet_system;

-- As in 0008, and: who acts for the person.
DROP FUNCTION sessions_of(uuid);
CREATE FUNCTION sessions_of(p_user uuid) RETURNS TABLE (
  id uuid, tenant_id uuid, tenant_slug text, tenant_name text, amr text[], ip text, user_agent text, authenticated_at timestamptz,
  last_used_at timestamptz, expires_at timestamptz, act_sub uuid
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT s.id, t.id, t.slug, t.name, s.amr, s.ip, s.user_agent, s.authenticated_at, r.rotated_at, r.expires_at, s.act_sub
  FROM sessions s
  JOIN tenants t ON t.id = s.tenant_id
  JOIN refresh_tokens r ON r.tenant_id = s.tenant_id AND r.session_id = s.id
  WHERE s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > now() AND r.expires_at > now()
$$;
ALTER FUNCTION sessions_of(uuid) OWNER TO signet_system;

-- As in 0008, and: whoever acts for somebody stays where they were let in.
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
  INSERT INTO audit_events (tenant_id, id, action, actor_id, session_id, target_type, target_id, after, ip, request_id, user_agent)
  VALUES (p_tenant, new_id(), CASE WHEN v_access.is_member THEN 'session.opened' ELSE 'tenant.entered' END, p_user, p_session,
    'session', p_session, jsonb_build_object('amr', v_from.amr, 'from_session', p_from), p_ip, p_request, p_agent);
  RETURN QUERY SELECT 'entered', v_access.roles, v_access.permissions, v_kind, v_from.amr, v_list, v_index, v_from.authenticated_at,
    v_expires, v_from.must_change;
END
$$;

-- As in 0006, and: the person has shown that the address is theirs.
CREATE OR REPLACE FUNCTION accept_membership(p_membership uuid, p_user uuid, p_ip text, p_request uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_tenant uuid;
BEGIN
  SELECT m.tenant_id INTO v_tenant FROM memberships m WHERE m.id = p_membership;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM set_config('signet.tenant_id', v_tenant::text, true);
  UPDATE memberships m SET user_id = u.id, invited_email = NULL, status = 'active', updated_at = now(), version = m.version + 1
  FROM users u
  WHERE m.tenant_id = v_tenant AND m.id = p_membership AND m.status = 'invited'
    AND u.id = p_user AND u.status = 'active' AND u.email = m.invited_email AND u.email_verified_at IS NOT NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM record_event(v_tenant, 'membership.accepted', p_user, NULL, 'membership', p_membership::text, NULL, p_ip, p_request);
  RETURN v_tenant;
END
$$;

-- A refresh key dies with the password that stood beside it and with its person's standing, whichever path changes them. A
-- password that is merely hashed anew keeps its `changed_at`. It dies with the first password too, whatever tenant the change was
-- made in.
CREATE FUNCTION drop_refresh_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_user uuid := CASE TG_TABLE_NAME WHEN 'users' THEN (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'user_id')::uuid END;
  v_before text := current_setting('signet.tenant_id', true);
BEGIN
  PERFORM set_config('signet.tenant_id', NEW.tenant_id::text, true);
  DELETE FROM refresh_keys k WHERE k.tenant_id = NEW.tenant_id AND k.user_id = v_user;
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
  RETURN NULL;
END
$$;
ALTER FUNCTION drop_refresh_key() OWNER TO signet_system;
CREATE TRIGGER users__drop_refresh_key AFTER UPDATE OF status ON users
  FOR EACH ROW WHEN (NEW.status <> 'active') EXECUTE FUNCTION drop_refresh_key();
CREATE TRIGGER password_credentials__drop_refresh_key AFTER UPDATE OF changed_at ON password_credentials
  FOR EACH ROW WHEN (OLD.changed_at IS DISTINCT FROM NEW.changed_at) EXECUTE FUNCTION drop_refresh_key();
CREATE TRIGGER password_credentials__drop_refresh_key_at_first AFTER INSERT ON password_credentials
  FOR EACH ROW EXECUTE FUNCTION drop_refresh_key();

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO signet_app, signet_system;
