GRANT CREATE ON SCHEMA public TO signet_system;

-- As in 0030, and: whether a list exists is told by the index alone. Where the server took the first row of it to be near, it read the table
-- until it found one, and for a list whose sessions are all gone the whole of it.
CREATE OR REPLACE FUNCTION load_status_list(p_list bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT coalesce(
    (SELECT string_agg(int4send(s.status_index), ''::bytea) FROM sessions s WHERE s.status_list = p_list AND s.ended_at IS NOT NULL),
    ''::bytea)
  WHERE p_list = current_status_list()
    OR (SELECT s.status_index FROM sessions s WHERE s.status_list = p_list ORDER BY s.status_list, s.status_index LIMIT 1) IS NOT NULL
$$;

REVOKE CREATE ON SCHEMA public FROM signet_system;
