-- One-time codes: asked for in one statement, and spent in one, for people whom somebody knows and for those whom nobody does.
-- A code belongs to a purpose, a person (or an address that nobody has) and the address that it was sent to.
GRANT CREATE ON SCHEMA public TO signet_system;

-- Whom a code is for: the person of `p_user`, else of the address; nobody where the address is new. `holder_tenant_id` is where
-- their codes and counters stand, and is set. `refusal` says why they get no code, or none that opens anything:
--   address-not-verified  the account has another address that is verified. A mistyped number must not open it to whoever
--                         has that number, so that it counts only on a device from which the person has signed in
--   registration-closed   nobody has the address, and the tenant takes in nobody
CREATE FUNCTION find_code_holder(
  p_purpose text, p_channel text, p_destination text, p_user uuid, p_tenant_slug text, p_default_slug text, p_fingerprint bytea
) RETURNS TABLE (holder_tenant_id uuid, user_id uuid, tenant_id uuid, refusal text, is_verified boolean, is_known_device boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  c_cap constant integer := 100;
  v_default text := coalesce(p_default_slug, (SELECT slug FROM tenants WHERE NOT is_platform ORDER BY created_at, id LIMIT 1));
  v_platform uuid := platform_tenant();
  v_is_open boolean := EXISTS (
    SELECT FROM tenants t
    WHERE t.slug = coalesce(p_tenant_slug, v_default) AND t.status = 'active' AND (t.settings ->> 'self_registration')::boolean);
  -- Somebody whom everything is asked about where nobody has the address: what follows takes the same time then.
  v_somebody uuid := (SELECT m.user_id FROM memberships m WHERE m.tenant_id = v_platform AND m.status = 'active' LIMIT 1);
  v_asked uuid;
  v record;
BEGIN
  user_id := p_user;
  IF p_user IS NULL AND p_channel = 'email' THEN
    SELECT u.id INTO user_id FROM users u WHERE u.email = p_destination;
  ELSIF p_user IS NULL THEN
    SELECT u.id INTO user_id FROM users u WHERE u.phone = p_destination;
  END IF;
  v_asked := coalesce(user_id, v_somebody);
  -- Where they land is said in find_sign_in (0005).
  SELECT u.tenant_id AS home, target.id AS target, u.status, target.status AS target_status,
    CASE p_channel WHEN 'email' THEN u.email_verified_at ELSE u.phone_verified_at END IS NOT NULL AS is_verified,
    u.email_verified_at IS NOT NULL OR u.phone_verified_at IS NOT NULL AS has_verified
  INTO v
  FROM users u
  JOIN tenants home ON home.id = u.tenant_id
  LEFT JOIN LATERAL (
    SELECT t.id, t.status FROM memberships m JOIN tenants t ON t.id = m.tenant_id
    WHERE m.user_id = u.id AND m.status = 'active'
      AND CASE
        WHEN p_tenant_slug IS NOT NULL THEN t.slug = p_tenant_slug
        WHEN home.is_platform THEN t.id = home.id OR t.slug = v_default
        ELSE t.id = home.id
      END
    ORDER BY t.is_platform
    LIMIT 1
  ) target ON true
  WHERE u.id = v_asked;
  holder_tenant_id := CASE WHEN user_id IS NULL THEN v_platform ELSE v.home END;
  PERFORM set_config('signet.tenant_id', holder_tenant_id::text, true);
  is_known_device := EXISTS (
    SELECT FROM known_devices d
    WHERE d.tenant_id = holder_tenant_id AND d.user_id = v_asked AND d.fingerprint = p_fingerprint AND d.failures < c_cap
  ) AND user_id IS NOT NULL;
  IF user_id IS NULL THEN
    refusal := CASE WHEN p_purpose <> 'sign-in' THEN 'unknown-user' WHEN NOT v_is_open THEN 'registration-closed' END;
  ELSE
    is_verified := v.is_verified;
    tenant_id := CASE WHEN p_user IS NULL THEN v.target ELSE v.home END;
    refusal := CASE
      WHEN v.status <> 'active' THEN 'user-' || v.status
      WHEN p_user IS NOT NULL THEN NULL
      WHEN v.target IS NULL THEN 'no-membership'
      WHEN v.target_status <> 'active' THEN 'tenant-' || v.target_status
      WHEN p_purpose <> 'contact' AND v.has_verified AND NOT v.is_verified AND NOT is_known_device THEN 'address-not-verified'
    END;
  END IF;
  RETURN NEXT;
END
$$;
ALTER FUNCTION find_code_holder(text, text, text, uuid, text, text, bytea) OWNER TO signet_system;

-- Makes a code and its message, or neither: a request beyond the limits changes nothing, and the code before it lives on. A
-- message for whom there is no code to send is written too and dropped, so that it costs the same.
-- `p_subject` stands for an address that nobody has, `p_counted` for it as requests are counted, `p_network` for the caller's.
CREATE FUNCTION request_code(
  p_purpose text, p_channel text, p_destination text, p_user uuid, p_tenant_slug text, p_default_slug text,
  p_subject uuid, p_counted uuid, p_network uuid, p_fingerprint bytea,
  p_hash bytea, p_life interval, p_max_attempts integer, p_template text, p_message uuid, p_payload bytea,
  p_ip text, p_request uuid, p_agent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
  p record;
  v_limit record;
  v_turn integer;
BEGIN
  SELECT * INTO p FROM find_code_holder(p_purpose, p_channel, p_destination, p_user, p_tenant_slug, p_default_slug, p_fingerprint);
  IF p.holder_tenant_id IS NULL THEN RETURN; END IF;

  -- The network first: whoever has used up their own turns does not use up those of an address.
  FOR v_limit IN
    SELECT * FROM (VALUES
      (platform_tenant(), p_network, 'code.network.hour', 50, interval '1 hour'),
      (platform_tenant(), p_network, 'code.network.day', 200, interval '1 day'),
      (platform_tenant(), p_counted, p_purpose || '.destination.minute', 1, interval '1 minute'),
      (p.holder_tenant_id, coalesce(p.user_id, p_counted), p_purpose || '.account.minute', 1, interval '1 minute'),
      (platform_tenant(), p_counted, p_purpose || '.destination.hour', 5, interval '1 hour'),
      (p.holder_tenant_id, coalesce(p.user_id, p_counted), p_purpose || '.account.hour', 5, interval '1 hour'),
      (platform_tenant(), p_counted, p_purpose || '.destination.day', 10, interval '1 day'),
      (p.holder_tenant_id, coalesce(p.user_id, p_counted), p_purpose || '.account.day', 10, interval '1 day')
    ) AS limits (tenant, subject, kind, turns, span)
  LOOP
    PERFORM set_config('signet.tenant_id', v_limit.tenant::text, true);
    SELECT t.turn INTO v_turn FROM take_turn(v_limit.tenant, v_limit.subject, v_limit.kind, v_limit.turns, v_limit.span) t;
    IF v_turn IS NULL OR v_turn > v_limit.turns THEN
      IF v_turn IS NOT NULL THEN
        PERFORM record_event(p.holder_tenant_id, 'code.throttled', NULL, NULL, 'user', p.user_id::text,
          jsonb_build_object('purpose', p_purpose, 'channel', p_channel, 'limit', v_limit.kind), p_ip, p_request, p_agent);
      END IF;
      RETURN;
    END IF;
  END LOOP;

  PERFORM set_config('signet.tenant_id', p.holder_tenant_id::text, true);
  INSERT INTO otp_challenges AS c (tenant_id, id, purpose, subject, user_id, channel, destination, code_hash, max_attempts, expires_at)
  VALUES (p.holder_tenant_id, new_id(), p_purpose, coalesce(p.user_id, p_subject), p.user_id, p_channel, p_destination, p_hash,
    p_max_attempts, now() + p_life)
  ON CONFLICT (tenant_id, purpose, subject) DO UPDATE SET
    id = excluded.id, user_id = excluded.user_id, channel = excluded.channel, destination = excluded.destination,
    code_hash = excluded.code_hash, attempts = 0, max_attempts = excluded.max_attempts, created_at = excluded.created_at,
    expires_at = excluded.expires_at, consumed_at = NULL;
  INSERT INTO outbound_messages (tenant_id, id, channel, user_id, recipient, template, payload, status, expires_at, finished_at)
  VALUES (p.holder_tenant_id, p_message, p_channel, p.user_id, p_destination, p_template,
    CASE WHEN p.refusal IS NULL THEN p_payload END, CASE WHEN p.refusal IS NULL THEN 'queued' ELSE 'dropped' END,
    now() + p_life, CASE WHEN p.refusal IS NOT NULL THEN now() END);
  PERFORM record_event(p.holder_tenant_id, 'code.requested', NULL, NULL, 'user', p.user_id::text,
    jsonb_strip_nulls(jsonb_build_object('purpose', p_purpose, 'channel', p_channel, 'refusal', p.refusal)), p_ip, p_request, p_agent);
END
$$;
ALTER FUNCTION request_code(text, text, text, uuid, text, text, uuid, uuid, uuid, bytea, bytea, interval, integer, text, uuid, bytea, text, uuid, text)
  OWNER TO signet_system;

-- Evaluates one guess. `outcome`:
--   right       the code is spent, and the address is the person's
--   new-person  the code is spent; nobody has the address yet
--   wrong       anything else: why stands in the audit event alone
-- The counter's row is locked first, so that guesses at one account wait for one another: a hundred wrong ones in a row, over
-- however many codes, close this way in for devices that are not known. Only wrong guesses at a live code are counted, those
-- from a known device on that device.
CREATE FUNCTION verify_code(
  p_purpose text, p_channel text, p_destination text, p_user uuid, p_tenant_slug text, p_default_slug text,
  p_subject uuid, p_counted uuid, p_fingerprint bytea, p_hash bytea, p_notice uuid, p_notice_payload bytea,
  p_ip text, p_request uuid, p_agent text
) RETURNS TABLE (outcome text, user_id uuid, home_tenant_id uuid, tenant_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
#variable_conflict use_column
DECLARE
  c_cap constant integer := 100;
  p record;
  v_way text := CASE p_purpose WHEN 'password-reset' THEN 'password-reset' ELSE 'code' END;
  v_subject uuid;
  v_counted uuid;
  v_failures integer;
  v_right boolean;
  v_reason text;
BEGIN
  outcome := 'wrong';
  SELECT * INTO p FROM find_code_holder(p_purpose, p_channel, p_destination, p_user, p_tenant_slug, p_default_slug, p_fingerprint);
  IF p.holder_tenant_id IS NULL THEN
    RETURN NEXT;
    RETURN;
  END IF;
  -- Variables: the index is of no use to an expression, behind row-level security, and a scan takes as long as others have codes.
  v_subject := coalesce(p.user_id, p_subject);
  v_counted := coalesce(p.user_id, p_counted);

  INSERT INTO account_counters AS c (tenant_id, subject, kind) VALUES (p.holder_tenant_id, v_counted, v_way)
  ON CONFLICT (tenant_id, subject, kind) DO UPDATE SET failures = c.failures
  RETURNING c.failures INTO v_failures;
  IF v_failures >= c_cap AND NOT p.is_known_device THEN
    v_reason := 'locked';
  ELSE
    UPDATE otp_challenges c
    SET attempts = c.attempts + 1, consumed_at = CASE WHEN c.code_hash = p_hash THEN now() END
    WHERE c.tenant_id = p.holder_tenant_id AND c.purpose = p_purpose AND c.subject = v_subject
      AND c.user_id IS NOT DISTINCT FROM p.user_id AND c.channel = p_channel AND c.destination = p_destination
      AND c.attempts < c.max_attempts AND c.expires_at > now() AND c.consumed_at IS NULL
    RETURNING c.consumed_at IS NOT NULL INTO v_right;
    v_reason := CASE WHEN v_right IS NULL THEN 'no-live-code' WHEN NOT v_right THEN 'wrong-code' ELSE p.refusal END;
  END IF;

  IF v_right THEN
    UPDATE account_counters c SET failures = 0
    WHERE c.tenant_id = p.holder_tenant_id AND c.subject = v_counted AND c.kind = v_way;
  ELSIF NOT v_right AND p.is_known_device THEN
    UPDATE known_devices d SET failures = d.failures + 1
    WHERE d.tenant_id = p.holder_tenant_id AND d.user_id = p.user_id AND d.fingerprint = p_fingerprint;
  ELSIF NOT v_right THEN
    UPDATE account_counters c SET failures = c.failures + 1, window_started_at = now()
    WHERE c.tenant_id = p.holder_tenant_id AND c.subject = v_counted AND c.kind = v_way
    RETURNING c.failures INTO v_failures;
    IF v_failures = c_cap THEN
      PERFORM record_lock(p.tenant_id, p.holder_tenant_id, p.user_id, v_way, p_notice, p_notice_payload, p_ip, p_request, p_agent);
    END IF;
  END IF;
  IF v_reason IS NOT NULL THEN
    PERFORM record_event(p.holder_tenant_id, 'code.refused', NULL, NULL, 'user', p.user_id::text,
      jsonb_build_object('purpose', p_purpose, 'channel', p_channel, 'reason', v_reason), p_ip, p_request, p_agent);
    RETURN NEXT;
    RETURN;
  END IF;

  IF p.user_id IS NOT NULL AND p_purpose <> 'contact' AND NOT p.is_verified THEN
    PERFORM prove_address(p.holder_tenant_id, p.user_id, p_channel, p.is_known_device, p_ip, p_request, p_agent);
  END IF;
  outcome := CASE WHEN p.user_id IS NULL THEN 'new-person' ELSE 'right' END;
  user_id := p.user_id;
  home_tenant_id := CASE WHEN p.user_id IS NOT NULL THEN p.holder_tenant_id END;
  tenant_id := p.tenant_id;
  RETURN NEXT;
END
$$;
ALTER FUNCTION verify_code(text, text, text, uuid, text, text, uuid, uuid, bytea, bytea, uuid, bytea, text, uuid, text) OWNER TO signet_system;

-- The address is the person's, as a code has just shown. Until now it could have been anybody who made this account and chose
-- its password: on a device that the account does not know, all that they could come back with goes. The tenant has to be set.
CREATE FUNCTION prove_address(
  p_tenant uuid, p_user uuid, p_channel text, p_is_known_device boolean, p_ip text, p_request uuid, p_agent text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_passwords integer;
  v_keys integer;
  v_sessions integer;
BEGIN
  UPDATE users u SET
    email_verified_at = CASE p_channel WHEN 'email' THEN now() ELSE u.email_verified_at END,
    phone_verified_at = CASE p_channel WHEN 'sms' THEN now() ELSE u.phone_verified_at END,
    updated_at = now(), version = u.version + 1
  WHERE u.tenant_id = p_tenant AND u.id = p_user;
  IF p_is_known_device THEN RETURN; END IF;

  DELETE FROM password_credentials c WHERE c.tenant_id = p_tenant AND c.user_id = p_user;
  GET DIAGNOSTICS v_passwords = ROW_COUNT;
  DELETE FROM refresh_keys k WHERE k.tenant_id = p_tenant AND k.user_id = p_user;
  GET DIAGNOSTICS v_keys = ROW_COUNT;
  DELETE FROM known_devices d WHERE d.tenant_id = p_tenant AND d.user_id = p_user;
  v_sessions := end_user_sessions(p_user, NULL, 'address-claimed');
  IF v_passwords + v_keys + v_sessions = 0 THEN RETURN; END IF;
  PERFORM record_event(p_tenant, 'user.claimed', p_user, NULL, 'user', p_user::text,
    jsonb_build_object('channel', p_channel, 'password_removed', v_passwords > 0, 'refresh_key_removed', v_keys > 0,
      'sessions_ended', v_sessions), p_ip, p_request, p_agent);
END
$$;
ALTER FUNCTION prove_address(uuid, uuid, text, boolean, text, uuid, text) OWNER TO signet_system;

-- A right code for a password that may not stay (it holds words about its person, which nobody may learn before the code) is
-- worth its remaining guesses still. The hash names it: one that has replaced it meanwhile stays as it is.
CREATE FUNCTION return_code(p_tenant uuid, p_user uuid, p_purpose text, p_hash bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
BEGIN
  PERFORM set_config('signet.tenant_id', p_tenant::text, true);
  UPDATE otp_challenges c SET consumed_at = NULL
  WHERE c.tenant_id = p_tenant AND c.purpose = p_purpose AND c.subject = p_user AND c.code_hash = p_hash;
END
$$;
ALTER FUNCTION return_code(uuid, uuid, text, bytea) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION
  find_code_holder(text, text, text, uuid, text, text, bytea),
  request_code(text, text, text, uuid, text, text, uuid, uuid, uuid, bytea, bytea, interval, integer, text, uuid, bytea, text, uuid, text),
  verify_code(text, text, text, uuid, text, text, uuid, uuid, bytea, bytea, uuid, bytea, text, uuid, text),
  prove_address(uuid, uuid, text, boolean, text, uuid, text),
  return_code(uuid, uuid, text, bytea)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  request_code(text, text, text, uuid, text, text, uuid, uuid, uuid, bytea, bytea, interval, integer, text, uuid, bytea, text, uuid, text),
  verify_code(text, text, text, uuid, text, text, uuid, uuid, bytea, bytea, uuid, bytea, text, uuid, text),
  return_code(uuid, uuid, text, bytea)
TO signet_app, signet_system;
