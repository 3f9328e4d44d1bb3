-- Statements that read whole tables, or all sessions of lists that are over, however large those had grown.
GRANT CREATE ON SCHEMA public TO signet_system;

-- One row each: for a thousand, which is what is believed of a function, whole tables of people were read beside them.
ALTER FUNCTION member_access(uuid, uuid) ROWS 1;
ALTER FUNCTION token_access(uuid, uuid) ROWS 1;

-- As in 0030, and: reads one session of a list, and those that have ended within a token's life.
CREATE OR REPLACE FUNCTION live_status_lists(p_token_life interval) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  WITH RECURSIVE existing (list) AS (
    (SELECT s.status_list FROM sessions s ORDER BY s.status_list LIMIT 1)
    UNION ALL
    SELECT (SELECT s.status_list FROM sessions s WHERE s.status_list > e.list ORDER BY s.status_list LIMIT 1)
    FROM existing e WHERE e.list IS NOT NULL
  )
  SELECT e.list FROM existing e
  WHERE e.list IS NOT NULL AND EXISTS (
    SELECT FROM sessions s WHERE s.status_list = e.list AND s.ended_at IS NULL AND s.expires_at > now() - p_token_life)
  UNION
  SELECT s.status_list FROM sessions s WHERE s.ended_at > now() - p_token_life AND s.expires_at > now() - p_token_life
  UNION
  SELECT current_status_list()
  ORDER BY 1
$$;

REVOKE CREATE ON SCHEMA public FROM signet_system;
