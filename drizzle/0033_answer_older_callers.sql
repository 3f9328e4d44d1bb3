-- What callers of older systems hear beside what ours do.
GRANT CREATE ON SCHEMA public TO signet_system;

-- As in 0012, and: `refused` for the right code of somebody who may not come in. Whoever holds the code is told; a guess is not.
CREATE OR REPLACE FUNCTION verify_code(
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
    IF v_right THEN outcome := 'refused'; END IF;
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

-- Whoever shows a service key speaks for the installation and names a brand by its id alone.
GRANT SELECT ON brands TO signet_system;
CREATE POLICY system_reads ON brands FOR SELECT TO signet_system USING (true);
CREATE FUNCTION find_brand(p_brand uuid) RETURNS TABLE (id uuid, name text, logo_url text, primary_color text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT b.id, b.name, b.logo_url, b.primary_color
  FROM brands b JOIN tenants t ON t.id = b.tenant_id AND t.status = 'active'
  WHERE b.id = p_brand
$$;
ALTER FUNCTION find_brand(uuid) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION find_brand(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_brand(uuid) TO signet_app;
