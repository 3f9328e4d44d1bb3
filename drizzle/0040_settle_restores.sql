-- After a backup was restored the database knows nothing of what happened since, and verifiers know it still. One function makes
-- that safe. See apps/iam/docs/decisions/0015-after-a-restore-nothing-goes-on.md.
GRANT CREATE ON SCHEMA public TO signet_system;

-- Tells one SIGNET_KEYS/secret from another and nothing about either: a database whose refresh tokens, codes and service keys are
-- sealed under one is of no use with another. Of the installation, not of a tenant; written at the first start.
CREATE TABLE installation_secrets (
  only_row boolean NOT NULL DEFAULT true,
  mark bytea NOT NULL,
  CONSTRAINT installation_secrets__only_row PRIMARY KEY (only_row),
  CONSTRAINT installation_secrets__is_only CHECK (only_row)
);
GRANT SELECT, INSERT, DELETE ON installation_secrets TO signet_system;

-- True where the secret is the one that this database is used with, which the first who asks decides.
CREATE FUNCTION confirm_secret(p_mark bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s'
AS $$
BEGIN
  INSERT INTO installation_secrets (mark) VALUES (p_mark) ON CONFLICT DO NOTHING;
  RETURN EXISTS (SELECT FROM installation_secrets s WHERE s.mark = p_mark);
END
$$;
ALTER FUNCTION confirm_secret(bytea) OWNER TO signet_system;

-- Ends all that somebody may have ended or spent since the backup, and leaves behind what numbers may have been given out since:
-- lists are drawn from the number of the present minute on, versions of bundles from that of the present millisecond, both since
-- 1970. Nobody opens 65,536 sessions a minute, or changes a tenant's roles once a millisecond, for as long as lies between two
-- restores. The secret is asked for anew: whoever lost theirs starts with another.
CREATE FUNCTION settle_restore() RETURNS TABLE (sessions bigint, codes bigint, client_tokens bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  c_now constant numeric := extract(epoch FROM clock_timestamp());
  v_tenant uuid;
  v_count bigint;
  v_version bigint;
BEGIN
  -- Before anything can fail: a sequence does not go back with its transaction, and never has to.
  PERFORM setval('status_index_draws', greatest(d.last_value, floor(c_now / 60)::bigint * 65536)) FROM status_index_draws d;

  UPDATE sessions s SET ended_at = now(), end_reason = 'restored' WHERE s.ended_at IS NULL;
  GET DIAGNOSTICS sessions = ROW_COUNT;
  codes := 0;
  client_tokens := 0;
  FOR v_tenant IN SELECT t.id FROM tenants t ORDER BY 1 LOOP
    PERFORM set_config('signet.tenant_id', v_tenant::text, true);
    UPDATE otp_challenges c SET consumed_at = now() WHERE c.tenant_id = v_tenant AND c.consumed_at IS NULL AND c.expires_at > now();
    GET DIAGNOSTICS v_count = ROW_COUNT;
    codes := codes + v_count;
    UPDATE client_tokens c SET withdrawn_at = now()
    WHERE c.tenant_id = v_tenant AND c.redeemed_at IS NULL AND c.withdrawn_at IS NULL
      AND c.expires_at > now();
    GET DIAGNOSTICS v_count = ROW_COUNT;
    client_tokens := client_tokens + v_count;
  END LOOP;
  PERFORM set_config('signet.tenant_id', '', true);

  UPDATE permission_catalogue k SET version = greatest(k.version + 1, floor(c_now * 1000)::bigint) RETURNING k.version INTO v_version;
  PERFORM pg_notify('signet_bundle', json_build_object('tid', NULL, 'version', v_version,
    'at', (extract(epoch FROM now()) * 1000000)::bigint)::text);
  DELETE FROM installation_secrets;
  PERFORM record_event(NULL, 'installation.restored', NULL, NULL, 'installation', NULL,
    jsonb_build_object('sessions', sessions, 'codes', codes, 'client_tokens', client_tokens), NULL, NULL);
  RETURN NEXT;
END
$$;
ALTER FUNCTION settle_restore() OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION confirm_secret(bytea), settle_restore() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION confirm_secret(bytea) TO signet_app;
-- Whoever migrates settles: nobody who serves requests may.
GRANT EXECUTE ON FUNCTION settle_restore() TO CURRENT_USER;
