-- The outbox works through four functions: one worker delivers the messages of all tenants, and an operator looks after those
-- that could not be delivered. A message that is being sent is due again when its lease is over: whoever held it is gone.
GRANT CREATE ON SCHEMA public TO signet_system;

-- Takes the message of a channel that has been due longest, for as long as the lease. Those that have expired by then are
-- marked, and what they said is taken away: a code that works no more is not sent. No row: nothing is due, or others have it.
CREATE FUNCTION claim_message(p_channel text, p_lease interval) RETURNS TABLE (
  tenant_id uuid, id uuid, recipient text, template text, payload bytea, attempts integer, created_at timestamptz,
  expires_at timestamptz, user_id uuid, person_name text, language text
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  m record;
BEGIN
  -- The bound is for the time it takes: what is left over is marked by the next call.
  FOR marked IN 1..500 LOOP
    SELECT o.tenant_id, o.id, o.user_id, o.expires_at INTO m FROM outbound_messages o
    WHERE o.channel = p_channel AND o.status IN ('queued', 'sending') AND o.due_at <= now()
    ORDER BY o.due_at LIMIT 1
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    IF m.expires_at IS NULL OR m.expires_at > clock_timestamp() THEN
      RETURN QUERY
      WITH claimed AS (
        UPDATE outbound_messages o
        SET status = 'sending', attempts = o.attempts + 1, due_at = clock_timestamp() + p_lease
        WHERE o.tenant_id = m.tenant_id AND o.id = m.id
        RETURNING o.*)
      SELECT c.tenant_id, c.id, c.recipient, c.template, c.payload, c.attempts, c.created_at, c.expires_at, c.user_id,
        coalesce(u.name, nullif(concat_ws(' ', u.first_name, u.last_name), '')), u.language
      FROM claimed c LEFT JOIN users u ON u.id = c.user_id;
      RETURN;
    END IF;
    UPDATE outbound_messages o SET status = 'expired', payload = NULL, finished_at = clock_timestamp()
    WHERE o.tenant_id = m.tenant_id AND o.id = m.id;
  END LOOP;
END
$$;
ALTER FUNCTION claim_message(text, interval) OWNER TO signet_system;

-- Says how an attempt went. Only whoever made the last one may: a slow worker whose lease was over changes nothing.
--   sent   and what it said is taken away
--   retry  due again after p_retry_after
--   dead   what it said is kept, so that it can be sent after all
CREATE FUNCTION settle_message(
  p_tenant uuid, p_id uuid, p_attempts integer, p_outcome text, p_error text DEFAULT NULL, p_retry_after interval DEFAULT '0'
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
BEGIN
  UPDATE outbound_messages o SET
    status = CASE p_outcome WHEN 'retry' THEN 'queued' ELSE p_outcome END,
    payload = CASE p_outcome WHEN 'sent' THEN NULL ELSE o.payload END,
    due_at = CASE p_outcome WHEN 'retry' THEN clock_timestamp() + p_retry_after ELSE o.due_at END,
    finished_at = CASE p_outcome WHEN 'retry' THEN NULL ELSE clock_timestamp() END,
    last_error = p_error
  WHERE o.tenant_id = p_tenant AND o.id = p_id AND o.status = 'sending' AND o.attempts = p_attempts;
  RETURN FOUND;
END
$$;
ALTER FUNCTION settle_message(uuid, uuid, integer, text, text, interval) OWNER TO signet_system;

-- What an operator sees of the messages of all tenants, the newest first: never what they say.
CREATE FUNCTION list_messages(p_statuses text[], p_limit integer) RETURNS TABLE (
  id uuid, tenant_slug text, channel text, recipient text, template text, status text, attempts integer, created_at timestamptz,
  due_at timestamptz, last_error text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT o.id, t.slug, o.channel, o.recipient, o.template, o.status, o.attempts, o.created_at, o.due_at, o.last_error
  FROM outbound_messages o JOIN tenants t ON t.id = o.tenant_id
  WHERE o.status = ANY (p_statuses)
  ORDER BY o.id DESC
  LIMIT p_limit
$$;
ALTER FUNCTION list_messages(text[], integer) OWNER TO signet_system;

-- Queues a message that was given up, or all of them, as if it were new; gives their number. One that has expired meanwhile is
-- marked when its turn comes.
CREATE FUNCTION retry_messages(p_id uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  v_count integer;
BEGIN
  UPDATE outbound_messages o SET status = 'queued', attempts = 0, due_at = clock_timestamp(), finished_at = NULL
  WHERE o.status = 'dead' AND (p_id IS NULL OR o.id = p_id);
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
ALTER FUNCTION retry_messages(uuid) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION claim_message(text, interval), settle_message(uuid, uuid, integer, text, text, interval),
  list_messages(text[], integer), retry_messages(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_message(text, interval), settle_message(uuid, uuid, integer, text, text, interval),
  list_messages(text[], integer), retry_messages(uuid) TO signet_app, signet_system;
