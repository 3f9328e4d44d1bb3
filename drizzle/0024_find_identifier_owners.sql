-- Who has the identifiers of many people at once: those of this tenant by their id, of others only that they are taken, as a single
-- creation says it too. E-mail and phone are unique over the installation, so that no row of this tenant could tell.
GRANT CREATE ON SCHEMA public TO signet_system;
CREATE FUNCTION find_identifier_owners(p_emails text[], p_usernames text[], p_phones text[])
RETURNS TABLE (line integer, email_owner uuid, is_email_taken boolean, username_owner uuid, phone_owner uuid, is_phone_taken boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_tenant uuid := current_tenant();
BEGIN
  RETURN QUERY
  SELECT l.line::integer,
    CASE WHEN e.tenant_id = v_tenant THEN e.id END, e.id IS NOT NULL,
    u.id,
    CASE WHEN p.tenant_id = v_tenant THEN p.id END, p.id IS NOT NULL
  FROM unnest(p_emails, p_usernames, p_phones) WITH ORDINALITY AS l (email, username, phone, line)
  LEFT JOIN users e ON e.email = l.email
  LEFT JOIN users u ON u.tenant_id = v_tenant AND lower(u.username) = lower(l.username)
  LEFT JOIN users p ON p.phone = l.phone
  ORDER BY l.line;
END
$$;
ALTER FUNCTION find_identifier_owners(text[], text[], text[]) OWNER TO signet_system;
REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION find_identifier_owners(text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_identifier_owners(text[], text[], text[]) TO signet_app;
