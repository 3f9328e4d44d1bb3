-- What operators watch: the outbox of all tenants in four numbers, and how far the database is migrated.
GRANT CREATE ON SCHEMA public TO signet_system;

-- One row a channel. Each of the outbox's two indexes holds what is counted by it and nothing else.
CREATE FUNCTION measure_outbox() RETURNS TABLE (channel text, waiting integer, oldest_seconds double precision, dead integer)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT c.channel, w.waiting::integer, coalesce(extract(epoch FROM now() - w.oldest), 0)::double precision, d.dead::integer
  FROM unnest(ARRAY['email', 'sms', 'event']) AS c (channel),
  LATERAL (
    SELECT count(*) AS waiting, min(o.created_at) AS oldest FROM outbound_messages o
    WHERE o.channel = c.channel AND o.status IN ('queued', 'sending')) w,
  LATERAL (
    SELECT count(*) AS dead FROM outbound_messages o WHERE o.channel = c.channel AND o.status = 'dead') d
$$;
ALTER FUNCTION measure_outbox() OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION measure_outbox() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION measure_outbox() TO signet_app, signet_system;

GRANT SELECT ON schema_migrations TO signet_app;
