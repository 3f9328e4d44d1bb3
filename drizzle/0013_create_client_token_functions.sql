-- An advisor opens a door for a client: tokens are redeemed once, into a session in which the advisor acts for the client, or
-- for an invitation into a session of the invited person's own. Who advises nobody any more acts for nobody any more.
GRANT CREATE ON SCHEMA public TO signet_system;

INSERT INTO permissions (code, service, description, is_platform) VALUES
  ('advisors:list', 'signet', 'List the clients of an advisor', false),
  ('advisors:modify', 'signet', 'Assign clients to an advisor and take them away', false);

-- To lock a row is to have the right to update it.
GRANT UPDATE (created_at) ON advisor_clients TO signet_system;
CREATE INDEX sessions__act_sub ON sessions (act_sub) WHERE act_sub IS NOT NULL;

-- As in 0005, and: the sessions in which the person acts for others, which whoever has their password may have opened.
CREATE OR REPLACE FUNCTION end_user_sessions(p_user uuid, p_except uuid, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_ended integer;
BEGIN
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  WHERE (s.user_id = p_user OR s.act_sub = p_user) AND s.ended_at IS NULL AND s.id IS DISTINCT FROM p_except
    AND EXISTS (SELECT FROM users u WHERE u.id = p_user AND u.tenant_id = current_tenant());
  GET DIAGNOSTICS v_ended = ROW_COUNT;
  RETURN v_ended;
END
$$;

-- Ends the sessions in which an advisor acts, for one client or for all, and withdraws what would open another.
CREATE FUNCTION end_acting(p_tenant uuid, p_advisor uuid, p_user uuid, p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  UPDATE sessions s SET ended_at = now(), end_reason = p_reason
  WHERE s.act_sub = p_advisor AND s.tenant_id = p_tenant AND (p_user IS NULL OR s.user_id = p_user) AND s.ended_at IS NULL;
  UPDATE client_tokens c SET withdrawn_at = now()
  WHERE c.tenant_id = p_tenant AND c.advisor_id = p_advisor AND (p_user IS NULL OR c.user_id = p_user)
    AND c.redeemed_at IS NULL AND c.withdrawn_at IS NULL;
$$;
ALTER FUNCTION end_acting(uuid, uuid, uuid, text) OWNER TO signet_system;

-- Whichever path takes the assignment away, the removal of either membership included.
CREATE FUNCTION end_acting_for_client() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM end_acting(OLD.tenant_id, OLD.advisor_id, OLD.user_id, 'client-removed');
  RETURN NULL;
END
$$;
ALTER FUNCTION end_acting_for_client() OWNER TO signet_system;
CREATE TRIGGER advisor_clients__end_acting AFTER DELETE ON advisor_clients
  FOR EACH ROW EXECUTE FUNCTION end_acting_for_client();

CREATE FUNCTION end_acting_of_advisor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_advisor uuid;
BEGIN
  SELECT m.user_id INTO v_advisor
  FROM memberships m JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = OLD.role_id AND r.name = 'advisor'
  WHERE m.tenant_id = OLD.tenant_id AND m.id = OLD.membership_id AND m.user_id IS NOT NULL;
  IF FOUND THEN PERFORM end_acting(OLD.tenant_id, v_advisor, NULL, 'role-withdrawn'); END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION end_acting_of_advisor() OWNER TO signet_system;
CREATE TRIGGER membership_roles__end_acting AFTER DELETE ON membership_roles
  FOR EACH ROW EXECUTE FUNCTION end_acting_of_advisor();

-- The person of an address that a redeemed invitation has just proved, made in the inviting tenant where there is none. Raises
-- SG001 with the reason for whoever may not sign in. Leaves the tenant set to the inviting one. The event tells another service of
-- a person who was made.
CREATE FUNCTION find_invited_person(
  p_tenant uuid, p_email text, p_name text, p_advisor uuid, p_ip text, p_agent text, p_request uuid, p_event uuid,
  p_event_recipient text, p_event_payload bytea
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v record;
  v_made uuid;
  v_membership uuid;
BEGIN
  LOOP
    SELECT u.id, u.tenant_id INTO v FROM users u WHERE u.email = p_email;
    EXIT WHEN FOUND;
    -- Two invitations to one new address: the second finds the person whom the first has made.
    INSERT INTO users (tenant_id, id, email, email_verified_at, name) VALUES (p_tenant, new_id(), p_email, now(), p_name)
    ON CONFLICT (email) DO NOTHING RETURNING id INTO v_made;
  END LOOP;

  PERFORM set_config('signet.tenant_id', v.tenant_id::text, true);
  SELECT u.id, u.tenant_id, u.status, u.email_verified_at IS NOT NULL AS is_verified, u.phone_verified_at IS NOT NULL AS has_phone
  INTO v FROM users u WHERE u.id = v.id AND u.email = p_email FOR NO KEY UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'address-moved' USING ERRCODE = 'SG001'; END IF;
  IF v.status <> 'active' THEN RAISE EXCEPTION 'user-%', v.status USING ERRCODE = 'SG001'; END IF;
  IF v.id = p_advisor THEN RAISE EXCEPTION 'own-invitation' USING ERRCODE = 'SG001'; END IF;
  IF NOT v.is_verified THEN
    -- As with codes: the account is that of the number, which somebody has shown to be theirs; the address may be mistyped.
    IF v.has_phone THEN RAISE EXCEPTION 'address-not-verified' USING ERRCODE = 'SG001'; END IF;
    PERFORM prove_address(v.tenant_id, v.id, 'email', false, p_ip, p_request, p_agent);
  END IF;

  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  IF v_made IS NOT NULL THEN
    PERFORM record_event(p_tenant, 'user.registered', NULL, NULL, 'user', v.id::text,
      jsonb_strip_nulls(jsonb_build_object('email', p_email, 'name', p_name, 'advisor_id', p_advisor)), p_ip, p_request, p_agent);
    IF p_event IS NOT NULL THEN
      INSERT INTO outbound_messages (tenant_id, id, channel, user_id, recipient, template, payload)
      VALUES (p_tenant, p_event, 'event', v.id, p_event_recipient, 'user.created', p_event_payload);
    END IF;
  END IF;
  -- An administrator's invitation of the same address is taken up with it: it asks for the same proof.
  UPDATE memberships m SET user_id = v.id, invited_email = NULL, status = 'active', updated_at = now(), version = m.version + 1
  WHERE m.tenant_id = p_tenant AND m.invited_email = p_email AND m.status = 'invited'
    AND NOT EXISTS (SELECT FROM memberships o WHERE o.tenant_id = p_tenant AND o.user_id = v.id)
  RETURNING m.id INTO v_membership;
  IF v_membership IS NULL THEN
    INSERT INTO memberships (tenant_id, id, user_id) VALUES (p_tenant, new_id(), v.id)
    ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING id INTO v_membership;
  END IF;
  IF v_membership IS NOT NULL THEN
    INSERT INTO membership_roles (tenant_id, membership_id, role_id)
    SELECT p_tenant, v_membership, r.id FROM roles r WHERE r.tenant_id = p_tenant AND r.name = 'member'
    ON CONFLICT DO NOTHING;
    IF v_made IS NULL THEN
      PERFORM record_event(p_tenant, 'membership.accepted', v.id, NULL, 'membership', v_membership::text, NULL, p_ip, p_request, p_agent);
    END IF;
  END IF;
  INSERT INTO advisor_clients (tenant_id, advisor_id, user_id) VALUES (p_tenant, p_advisor, v.id) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    PERFORM record_event(p_tenant, 'advisor.client-assigned', v.id, NULL, 'user', v.id::text,
      jsonb_build_object('advisor_id', p_advisor), p_ip, p_request, p_agent);
  END IF;
  RETURN v.id;
END
$$;
ALTER FUNCTION find_invited_person(uuid, text, text, uuid, text, text, uuid, uuid, text, bytea) OWNER TO signet_system;

-- Spends a client token and opens its session: one guarded UPDATE decides who does. No row: there is no such token, it was
-- spent, withdrawn or has expired, or the session cannot be opened; then nothing is spent and nothing else is written but the
-- event that says why.
--   access      the client's session, in which the advisor acts, for a day at most. The locks make whoever takes away the
--               assignment, the role or the advisor's standing wait for the session that they have to end.
--   invitation  the invited person's own session. Whoever may read the mail of an address gets in by a code that is sent there
--               just as well, whatever they hold and whoever asks for it: so nothing is compared with what the advisor holds.
CREATE FUNCTION redeem_client_token(
  p_token bytea, p_session uuid, p_leaf bytea, p_idle interval, p_life interval, p_fingerprint bytea, p_ip text, p_agent text,
  p_request uuid, p_event_recipient text, p_created_event uuid, p_created_payload bytea, p_login_event uuid, p_login_payload bytea
) RETURNS TABLE (
  tenant_id uuid, user_id uuid, act_sub uuid, amr text[], roles text[], permissions text[], kind text, authenticated_at timestamptz,
  refresh_expires_at timestamptz, must_change boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  c_acting_life constant interval := '24 hours';
  t record;
  s record;
  v_status text;
  v_user uuid;
  v_act uuid;
  v_amr text[];
BEGIN
  SELECT c.tenant_id, c.id, c.kind, c.advisor_id, c.user_id, c.invited_email, c.invited_name, o.status AS tenant_status INTO t
  FROM client_tokens c JOIN tenants o ON o.id = c.tenant_id WHERE c.token_hash = p_token;
  IF NOT FOUND THEN
    PERFORM record_event(NULL, 'client-token.refused', NULL, NULL, 'client-token', NULL, '{"reason": "unknown"}', p_ip, p_request, p_agent);
    RETURN;
  END IF;
  BEGIN
    PERFORM set_config('signet.tenant_id', t.tenant_id::text, true);
    UPDATE client_tokens c SET redeemed_at = now()
    WHERE c.tenant_id = t.tenant_id AND c.id = t.id AND c.redeemed_at IS NULL AND c.withdrawn_at IS NULL
      AND c.expires_at > clock_timestamp();
    IF NOT FOUND THEN
      SELECT CASE WHEN c.redeemed_at IS NOT NULL THEN 'redeemed' WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn' ELSE 'expired' END
      INTO v_status FROM client_tokens c WHERE c.tenant_id = t.tenant_id AND c.id = t.id;
      RAISE EXCEPTION '%', coalesce(v_status, 'removed') USING ERRCODE = 'SG001';
    END IF;
    IF t.tenant_status <> 'active' THEN RAISE EXCEPTION 'tenant-%', t.tenant_status USING ERRCODE = 'SG001'; END IF;

    PERFORM set_config('signet.tenant_id', u.tenant_id::text, true) FROM users u WHERE u.id = t.advisor_id;
    SELECT u.status INTO v_status FROM users u WHERE u.id = t.advisor_id FOR SHARE;
    IF v_status IS DISTINCT FROM 'active' THEN RAISE EXCEPTION 'advisor-%', v_status USING ERRCODE = 'SG001'; END IF;
    PERFORM set_config('signet.tenant_id', t.tenant_id::text, true);
    PERFORM FROM memberships m
    JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id AND r.name = 'advisor'
    WHERE m.tenant_id = t.tenant_id AND m.user_id = t.advisor_id AND m.status = 'active'
    FOR SHARE OF m;
    IF NOT FOUND THEN RAISE EXCEPTION 'not-an-advisor' USING ERRCODE = 'SG001'; END IF;

    IF t.kind = 'access' THEN
      v_user := t.user_id;
      v_act := t.advisor_id;
      v_amr := ARRAY['adv'];
      PERFORM FROM advisor_clients a
      WHERE a.tenant_id = t.tenant_id AND a.advisor_id = v_act AND a.user_id = v_user FOR KEY SHARE;
      IF NOT FOUND THEN RAISE EXCEPTION 'not-assigned' USING ERRCODE = 'SG001'; END IF;
      SELECT u.status INTO v_status FROM users u WHERE u.id = v_user;
      IF v_status <> 'active' THEN RAISE EXCEPTION 'user-%', v_status USING ERRCODE = 'SG001'; END IF;
      PERFORM FROM member_access(t.tenant_id, v_user) a
      WHERE NOT a.is_platform_staff AND may_act_for(t.tenant_id, v_act, a.permissions);
      IF NOT FOUND THEN RAISE EXCEPTION 'grant-exceeds-own' USING ERRCODE = 'SG001'; END IF;
      SELECT * INTO s FROM open_session(p_session, v_user, t.tenant_id, NULL, p_leaf, v_amr, p_idle, c_acting_life, 'session.opened',
        p_ip, p_agent, p_request, 'client-token', NULL, v_act);
    ELSE
      v_user := find_invited_person(t.tenant_id, t.invited_email, t.invited_name, t.advisor_id, p_ip, p_agent, p_request,
        p_created_event, p_event_recipient, p_created_payload);
      v_amr := ARRAY['otp'];
      UPDATE client_tokens c SET user_id = v_user WHERE c.tenant_id = t.tenant_id AND c.id = t.id;
      SELECT * INTO s FROM open_session(p_session, v_user, t.tenant_id, NULL, p_leaf, v_amr, p_idle, p_life, 'session.opened',
        p_ip, p_agent, p_request, 'code', p_fingerprint, NULL, p_login_event, p_event_recipient, p_login_payload);
    END IF;
    IF s.authenticated_at IS NULL THEN RAISE EXCEPTION 'changed-meanwhile' USING ERRCODE = 'SG001'; END IF;
    PERFORM record_event(t.tenant_id, 'client-token.redeemed', coalesce(v_act, v_user), p_session, 'user', v_user::text,
      jsonb_build_object('client_token_id', t.id, 'kind', t.kind, 'advisor_id', t.advisor_id), p_ip, p_request, p_agent);
  EXCEPTION WHEN SQLSTATE 'SG001' THEN
    PERFORM record_event(t.tenant_id, 'client-token.refused', NULL, NULL, 'client-token', t.id::text,
      jsonb_build_object('reason', SQLERRM, 'kind', t.kind), p_ip, p_request, p_agent);
    RETURN;
  END;
  RETURN QUERY SELECT t.tenant_id, v_user, v_act, v_amr, s.roles, s.permissions, s.kind, s.authenticated_at, s.refresh_expires_at,
    s.must_change;
END
$$;
ALTER FUNCTION redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
-- Parts of the functions above, which no program calls.
REVOKE EXECUTE ON FUNCTION end_acting(uuid, uuid, uuid, text), end_acting_for_client(), end_acting_of_advisor(),
  find_invited_person(uuid, text, text, uuid, text, text, uuid, uuid, text, bytea),
  redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION redeem_client_token(bytea, uuid, bytea, interval, interval, bytea, text, text, uuid, text, uuid, bytea, uuid, bytea)
  TO signet_app, signet_system;
