-- A failure in a row is an attempt that was evaluated: one that was refused unevaluated counts for nothing. Whoever locks a way
-- in leaves a message to its owner, in the statement that writes the event.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE OR REPLACE FUNCTION take_turn(p_tenant uuid, p_subject uuid, p_kind text, p_limit integer, p_window interval)
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

CREATE OR REPLACE FUNCTION take_device_turn(
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
  v_home uuid := coalesce(p_home, platform_tenant());
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

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION record_lock(uuid, uuid, uuid, text, uuid, bytea, text, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_lock(uuid, uuid, uuid, text, uuid, bytea, text, uuid, text) TO signet_app, signet_system;
