-- What has an end leaves by time, a thousand rows a call, each call a transaction of its own. The policies say what may go at
-- all: signet_system, which removes, cannot reach a row of another tenant that is still good for something.
GRANT CREATE ON SCHEMA public TO signet_system;

-- No token lives longer than a day after the last refresh, which may be the session's last moment: so long its bit is asked for.
CREATE POLICY system_cleans ON sessions FOR DELETE TO signet_system USING (expires_at < now() - interval '1 day');
CREATE POLICY system_cleans ON otp_challenges FOR ALL TO signet_system
  USING (expires_at < now() - interval '1 day') WITH CHECK (false);
CREATE POLICY system_cleans ON client_tokens FOR ALL TO signet_system
  USING (expires_at < now() - interval '30 days') WITH CHECK (false);
CREATE POLICY system_cleans ON idempotency_keys FOR ALL TO signet_system
  USING (created_at < now() - interval '1 day') WITH CHECK (false);
CREATE POLICY system_cleans ON account_counters FOR ALL TO signet_system
  USING (window_started_at < now() - interval '1 day') WITH CHECK (false);
CREATE POLICY system_cleans ON known_devices FOR ALL TO signet_system
  USING (last_used_at < now() - interval '400 days') WITH CHECK (false);
GRANT DELETE ON sessions, client_tokens TO signet_system;
-- To lock a row is to have the right to update it.
GRANT SELECT, UPDATE (created_at), DELETE ON idempotency_keys TO signet_system;

-- The first UUIDv7 of a millisecond.
CREATE FUNCTION first_id_of(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT rpad(lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid $$;

-- Whoever cleans holds it for one transaction: of many nodes one works, and none that is gone stands in the way.
CREATE FUNCTION may_clean() RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_try_advisory_xact_lock(7346581905) $$;

-- When a person was in a tenant last stays known: with the last of their sessions there it goes into the membership.
ALTER TABLE memberships ADD COLUMN last_sign_in_at timestamptz;
GRANT UPDATE (last_sign_in_at) ON memberships TO signet_system;

-- A thousand sessions with their refresh tokens, only of status lists from which indexes were drawn two lists ago at the latest: an
-- index whose session is gone could be drawn again. A session that somebody else opened for a person is no sign-in of theirs.
CREATE FUNCTION remove_sessions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_list bigint := current_status_list();
  v_removed integer := 0;
  v record;
BEGIN
  FOR v IN
    WITH gone AS (
      DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM sessions s
        WHERE s.expires_at < now() - interval '1 day' AND s.status_list < v_list - 1
        ORDER BY s.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
      RETURNING tenant_id, user_id, authenticated_at, act_sub)
    SELECT g.tenant_id, g.user_id, count(*) AS sessions, max(g.authenticated_at) FILTER (WHERE g.act_sub IS NULL) AS at
    FROM gone g GROUP BY g.tenant_id, g.user_id ORDER BY g.tenant_id, g.user_id
  LOOP
    v_removed := v_removed + v.sessions;
    CONTINUE WHEN v.at IS NULL OR EXISTS (
      SELECT FROM sessions s
      WHERE s.tenant_id = v.tenant_id AND s.user_id = v.user_id AND s.authenticated_at >= v.at AND s.act_sub IS NULL);
    PERFORM set_config('signet.tenant_id', v.tenant_id::text, true);
    UPDATE memberships m SET last_sign_in_at = greatest(m.last_sign_in_at, v.at)
    WHERE m.tenant_id = v.tenant_id AND m.user_id = v.user_id;
  END LOOP;
  RETURN v_removed;
END
$$;
ALTER FUNCTION remove_sessions() OWNER TO signet_system;

-- Gives how many rows went, a thousand at most; null where another node is at it. Rows that are in use stay for the next call.
-- The number stands in the statements: a plan for any number would read whole tables.
--   turns     the counters whose kind has a full stop: over with their window, which is a day at most
--   failures  all others: a hundred in a row lock a way in, whether anybody has the name or not, and last as long as a device
CREATE FUNCTION remove_expired(p_what text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_removed integer;
BEGIN
  IF NOT may_clean() THEN RETURN NULL; END IF;
  -- What a crash of the server brings back is removed again.
  PERFORM set_config('synchronous_commit', 'off', true);
  CASE p_what
  WHEN 'sessions' THEN
    RETURN remove_sessions();
  WHEN 'otp_challenges' THEN
    DELETE FROM otp_challenges WHERE ctid = ANY (ARRAY(
      SELECT c.ctid FROM otp_challenges c WHERE c.expires_at < now() - interval '1 day'
      ORDER BY c.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  WHEN 'client_tokens' THEN
    DELETE FROM client_tokens WHERE ctid = ANY (ARRAY(
      SELECT c.ctid FROM client_tokens c WHERE c.expires_at < now() - interval '30 days'
      ORDER BY c.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  WHEN 'idempotency_keys' THEN
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT k.ctid FROM idempotency_keys k WHERE k.created_at < now() - interval '1 day'
      ORDER BY k.created_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  WHEN 'turns' THEN
    DELETE FROM account_counters WHERE ctid = ANY (ARRAY(
      SELECT c.ctid FROM account_counters c WHERE c.kind LIKE '%.%' AND c.window_started_at < now() - interval '1 day'
      ORDER BY c.window_started_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  WHEN 'failures' THEN
    DELETE FROM account_counters WHERE ctid = ANY (ARRAY(
      SELECT c.ctid FROM account_counters c
      WHERE c.kind NOT LIKE '%.%' AND c.window_started_at < now() - interval '90 days'
        AND (c.failures < 100 OR c.window_started_at < now() - interval '400 days')
      ORDER BY c.window_started_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  WHEN 'known_devices' THEN
    DELETE FROM known_devices WHERE ctid = ANY (ARRAY(
      SELECT d.ctid FROM known_devices d WHERE d.last_used_at < now() - interval '400 days'
      ORDER BY d.last_used_at LIMIT 1000 FOR UPDATE SKIP LOCKED));
  END CASE;
  GET DIAGNOSTICS v_removed = ROW_COUNT;
  RETURN v_removed;
END
$$;
ALTER FUNCTION remove_expired(text) OWNER TO signet_system;

-- Indexes are drawn from a list for a month at most, so that the sessions of small installations leave as well.
GRANT UPDATE ON SEQUENCE status_index_draws TO signet_system;
CREATE FUNCTION begin_status_list() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_list bigint := current_status_list();
BEGIN
  IF may_clean() AND EXISTS (
    SELECT FROM sessions s WHERE s.status_list = v_list AND s.id < first_id_of(now() - interval '30 days')
  ) THEN
    PERFORM setval('status_index_draws', v_list * 65536, false);
  END IF;
END
$$;
ALTER FUNCTION begin_status_list() OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION first_id_of(timestamptz), may_clean(), remove_sessions(), remove_expired(text), begin_status_list() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION first_id_of(timestamptz), may_clean(), remove_sessions() TO signet_system;
GRANT EXECUTE ON FUNCTION first_id_of(timestamptz), remove_expired(text), begin_status_list() TO signet_app;
