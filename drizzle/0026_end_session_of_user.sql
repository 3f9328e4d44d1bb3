-- One session of a person, wherever it is, ended by whoever administers the person: works in their home tenant alone, as
-- end_user_sessions does. False where the person has no such live session.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION end_session_of(p_user uuid, p_session uuid, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  WHERE s.id = p_session AND s.user_id = p_user AND s.ended_at IS NULL AND s.expires_at > now()
    AND EXISTS (SELECT FROM users u WHERE u.id = p_user AND u.tenant_id = current_tenant());
  RETURN FOUND;
END
$$;
ALTER FUNCTION end_session_of(uuid, uuid, text) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION end_session_of(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_session_of(uuid, uuid, text) TO signet_app, signet_system;
