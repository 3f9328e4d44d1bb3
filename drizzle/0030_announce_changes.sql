-- What verifiers have to hear of: sessions that have ended, and tenants whose roles and policies say something else. Both are
-- announced by triggers, in the transaction of the change: no path can forget it, and nothing is announced that did not happen.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE INDEX sessions__ended_status ON sessions (status_list, status_index) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions__ended_at ON sessions (ended_at) INCLUDE (status_list, status_index) WHERE ended_at IS NOT NULL;

-- An ended session is a bit of its status list, and every issuer that listens hears of it when the transaction commits. A
-- message holds less than 8,000 bytes: a thousand indexes of six digits. `at` is the session's end in microseconds. A bit that was
-- set stays: verifiers keep what they have heard.
CREATE FUNCTION announce_ended_sessions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM was w JOIN changed c ON c.id = w.id WHERE w.ended_at IS NOT NULL AND c.ended_at IS NULL) THEN
    RAISE EXCEPTION 'the end of a session is final' USING ERRCODE = 'check_violation', CONSTRAINT = 'sessions__end_is_final';
  END IF;
  PERFORM pg_notify('signet_revoked', json_build_object('list', e.status_list, 'indexes', json_agg(e.status_index),
    'at', (extract(epoch FROM max(e.ended_at)) * 1000000)::bigint)::text)
  FROM (
    SELECT c.status_list, c.status_index, c.ended_at, (row_number() OVER (PARTITION BY c.status_list) - 1) / 1000 AS part
    FROM was w JOIN changed c ON c.id = w.id
    WHERE w.ended_at IS NULL AND c.ended_at IS NOT NULL
  ) e
  GROUP BY e.status_list, e.part;
  RETURN NULL;
END
$$;
CREATE TRIGGER sessions__announce_ended AFTER UPDATE ON sessions REFERENCING OLD TABLE AS was NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION announce_ended_sessions();

-- The list that indexes are drawn from now. A sequence that nobody has drawn from yet says 1.
GRANT SELECT ON SEQUENCE status_index_draws TO signet_system;
CREATE FUNCTION current_status_list() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$ SELECT d.last_value / 65536 + 1 FROM status_index_draws d $$;
ALTER FUNCTION current_status_list() OWNER TO signet_system;

-- The lists of sessions that may still have a valid token, and the one that is drawn from now. A token lives `p_token_life` from
-- the last refresh, which may be the session's last moment. One step an existing list, not one a session.
CREATE FUNCTION live_status_lists(p_token_life interval) RETURNS SETOF bigint
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
    SELECT FROM sessions s
    WHERE s.status_list = e.list AND s.expires_at > now() - p_token_life AND (s.ended_at IS NULL OR s.ended_at > now() - p_token_life))
  UNION
  SELECT current_status_list()
  ORDER BY 1
$$;
ALTER FUNCTION live_status_lists(interval) OWNER TO signet_system;

-- The indexes of the ended sessions of a list, four bytes each (big-endian). Null where no index of such a list was ever drawn.
CREATE FUNCTION load_status_list(p_list bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT coalesce(
    (SELECT string_agg(int4send(s.status_index), ''::bytea) FROM sessions s WHERE s.status_list = p_list AND s.ended_at IS NOT NULL),
    ''::bytea)
  WHERE p_list = current_status_list() OR EXISTS (SELECT FROM sessions s WHERE s.status_list = p_list)
$$;
ALTER FUNCTION load_status_list(bigint) OWNER TO signet_system;

-- What ended since a moment, for those who were not listening. A transaction commits later than it says of itself: ask for an
-- overlap.
CREATE FUNCTION sessions_ended_since(p_since timestamptz) RETURNS TABLE (status_list bigint, status_index integer, at bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT s.status_list, s.status_index, (extract(epoch FROM s.ended_at) * 1000000)::bigint
  FROM sessions s WHERE s.ended_at >= p_since ORDER BY s.ended_at
$$;
ALTER FUNCTION sessions_ended_since(timestamptz) OWNER TO signet_system;

-- The catalogue is no tenant's, and every tenant's bundle holds it: one row, whose version rises with what bundles say of it.
CREATE TABLE permission_catalogue (
  only_row boolean NOT NULL DEFAULT true,
  version bigint NOT NULL,
  CONSTRAINT permission_catalogue__only_row PRIMARY KEY (only_row),
  CONSTRAINT permission_catalogue__is_only CHECK (only_row)
);
INSERT INTO permission_catalogue (version) VALUES (1);
GRANT SELECT ON permission_catalogue TO signet_app, signet_system;
GRANT UPDATE (version) ON permission_catalogue TO signet_system;

CREATE FUNCTION raise_catalogue_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_version bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- Descriptions are in no bundle.
    IF NOT EXISTS (SELECT code, is_platform FROM changed EXCEPT SELECT code, is_platform FROM was) THEN RETURN NULL; END IF;
  ELSIF NOT EXISTS (SELECT FROM changed) THEN
    RETURN NULL;
  END IF;
  UPDATE permission_catalogue SET version = version + 1 RETURNING version INTO v_version;
  PERFORM pg_notify('signet_bundle', json_build_object('tid', NULL, 'version', v_version,
    'at', (extract(epoch FROM now()) * 1000000)::bigint)::text);
  RETURN NULL;
END
$$;
ALTER FUNCTION raise_catalogue_version() OWNER TO signet_system;
CREATE TRIGGER permissions__catalogue_inserted AFTER INSERT ON permissions REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version();
CREATE TRIGGER permissions__catalogue_updated AFTER UPDATE ON permissions REFERENCING OLD TABLE AS was NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version();
CREATE TRIGGER permissions__catalogue_deleted AFTER DELETE ON permissions REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version();

-- As in 0018, and: says so.
CREATE OR REPLACE FUNCTION raise_bundle_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
  v_tenant uuid;
  v_version bigint;
BEGIN
  FOR v_tenant IN SELECT DISTINCT c.tenant_id FROM changed c JOIN tenants t ON t.id = c.tenant_id ORDER BY 1 LOOP
    PERFORM set_config('signet.tenant_id', v_tenant::text, true);
    INSERT INTO bundle_versions AS b (tenant_id, version) VALUES (v_tenant, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = b.version + 1
    RETURNING b.version + (SELECT k.version FROM permission_catalogue k) INTO v_version;
    PERFORM pg_notify('signet_bundle', json_build_object('tid', v_tenant, 'version', v_version,
      'at', (extract(epoch FROM now()) * 1000000)::bigint)::text);
  END LOOP;
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
  RETURN NULL;
END
$$;

-- The number that names what load_bundle would give: the tenant's version and the catalogue's, which both only rise, so that
-- their sum rises with either. No row: there is no such tenant, or it is not active.
DROP FUNCTION find_bundle_stamp(uuid);
CREATE FUNCTION find_bundle_version(p_tenant uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT k.version + coalesce((SELECT b.version FROM bundle_versions b WHERE b.tenant_id = t.id), 0)
  FROM tenants t CROSS JOIN permission_catalogue k
  WHERE t.id = p_tenant AND t.status = 'active'
$$;
ALTER FUNCTION find_bundle_version(uuid) OWNER TO signet_system;

-- As in 0020, and: one version; the bundle of an active tenant alone.
CREATE OR REPLACE FUNCTION load_bundle(p_tenant uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT jsonb_build_object(
    'tenant', t.id,
    'version', find_bundle_version(t.id),
    'permissions', coalesce((SELECT jsonb_agg(p.code ORDER BY p.code) FROM permissions p WHERE t.is_platform OR NOT p.is_platform), '[]'),
    'roles', coalesce((
      SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'permissions', CASE r.holds
        WHEN 'all' THEN (SELECT jsonb_agg(p.code ORDER BY p.code) FROM permissions p)
        WHEN 'tenant' THEN (SELECT jsonb_agg(p.code ORDER BY p.code) FROM permissions p WHERE NOT p.is_platform)
        ELSE coalesce((
          SELECT jsonb_agg(rp.permission_code ORDER BY rp.permission_code) FROM role_permissions rp
          WHERE rp.tenant_id = r.tenant_id AND rp.role_id = r.id), '[]')
      END) ORDER BY r.name)
      FROM roles r WHERE r.tenant_id = t.id OR r.holds = 'all'), '[]'),
    'policies', coalesce((
      SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'source', p.source,
        'statements', (
          SELECT jsonb_agg(jsonb_build_object('number', ps.number, 'line', ps.line, 'effect', ps.effect, 'actions', ps.actions,
            'isTemplate', ps.is_template, 'isConditional', ps.is_conditional) ORDER BY ps.number)
          FROM policy_statements ps WHERE ps.tenant_id = p.tenant_id AND ps.policy_id = p.id),
        'attachments', coalesce((
          SELECT jsonb_agg(jsonb_build_object('type', CASE WHEN a.user_id IS NULL THEN 'role' ELSE 'user' END,
            'id', coalesce(a.user_id, a.role_id)) ORDER BY a.created_at, a.user_id, a.role_id)
          FROM policy_attachments a WHERE a.tenant_id = p.tenant_id AND a.policy_id = p.id), '[]')) ORDER BY p.name)
      FROM policies p
      WHERE p.tenant_id = t.id AND EXISTS (SELECT FROM policy_statements e WHERE e.tenant_id = p.tenant_id AND e.policy_id = p.id)), '[]'))
  FROM tenants t
  WHERE t.id = p_tenant AND t.status = 'active'
$$;

-- Decisions know roles by name, and `super_admin` is the platform's in every tenant: nobody else's role is called so, in
-- whatever case. Roles that were made under that name get another; they keep their people and their permissions.
ALTER TABLE roles NO FORCE ROW LEVEL SECURITY;
UPDATE roles SET name = 'custom ' || name || ' ' || id, updated_at = now(), version = version + 1
WHERE holds <> 'all' AND lower(name COLLATE "C") = 'super_admin';
ALTER TABLE roles FORCE ROW LEVEL SECURITY;
ALTER TABLE roles ADD CONSTRAINT roles__reserved_name CHECK (holds = 'all' OR lower(name COLLATE "C") <> 'super_admin');

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION announce_ended_sessions(), current_status_list(), live_status_lists(interval), load_status_list(bigint),
  sessions_ended_since(timestamptz), raise_catalogue_version(), find_bundle_version(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_status_lists(interval), load_status_list(bigint), sessions_ended_since(timestamptz),
  find_bundle_version(uuid) TO signet_app;
GRANT EXECUTE ON FUNCTION current_status_list(), find_bundle_version(uuid) TO signet_system;
