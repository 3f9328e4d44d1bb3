-- As in 0016, and: many guesses at one session wait for one another, and none of them for the disk. What a crash of the server
-- forgets is the count of some milliseconds, as for a password (0011).
CREATE OR REPLACE FUNCTION begin_renewal(p_session uuid, p_user uuid, p_tenant uuid)
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
