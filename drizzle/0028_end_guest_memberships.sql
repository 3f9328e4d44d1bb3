-- Whoever is deleted is nobody's guest any more.
GRANT CREATE ON SCHEMA public TO signet_system;
GRANT DELETE ON memberships TO signet_system;

-- Takes a person out of every tenant but their home, which is the tenant of the transaction, with all that hangs on those
-- memberships; gives how many there were. Each of these tenants is told that its guest is gone, and by which request, but not
-- who has done it: that is a stranger there. The person is locked first, so that an invitation that is being accepted is waited
-- for; then the membership at home, as by whoever takes a role away, who waits for the other administrators only after it.
CREATE FUNCTION end_guest_memberships(p_user uuid, p_reason text, p_request uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_home uuid := current_tenant();
  v_ended integer := 0;
  v record;
BEGIN
  PERFORM FROM users u WHERE u.tenant_id = v_home AND u.id = p_user FOR UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  PERFORM FROM memberships m WHERE m.tenant_id = v_home AND m.user_id = p_user FOR UPDATE;
  FOR v IN
    SELECT m.tenant_id, m.id FROM memberships m WHERE m.user_id = p_user AND m.tenant_id <> v_home ORDER BY m.tenant_id
  LOOP
    PERFORM set_config('signet.tenant_id', v.tenant_id::text, true);
    DELETE FROM memberships m WHERE m.tenant_id = v.tenant_id AND m.id = v.id;
    -- The tenant may have put them out itself meanwhile.
    IF FOUND THEN
      v_ended := v_ended + 1;
      PERFORM record_event(v.tenant_id, 'membership.removed', NULL, NULL, 'membership', v.id::text,
        jsonb_build_object('user_id', p_user, 'reason', p_reason), NULL, p_request);
    END IF;
  END LOOP;
  PERFORM set_config('signet.tenant_id', v_home::text, true);
  RETURN v_ended;
END
$$;
ALTER FUNCTION end_guest_memberships(uuid, text, uuid) OWNER TO signet_system;

-- As in 0011, and: the share lock makes a deletion wait for the membership that it has to end, or be waited for.
CREATE OR REPLACE FUNCTION accept_membership(p_membership uuid, p_user uuid, p_ip text, p_request uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_tenant uuid;
BEGIN
  SELECT m.tenant_id INTO v_tenant FROM memberships m WHERE m.id = p_membership;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM set_config('signet.tenant_id', u.tenant_id::text, true) FROM users u WHERE u.id = p_user;
  PERFORM FROM users u WHERE u.id = p_user AND u.status = 'active' FOR SHARE;
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

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION end_guest_memberships(uuid, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_guest_memberships(uuid, text, uuid) TO signet_app, signet_system;
