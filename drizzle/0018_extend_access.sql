-- What policies and the ceiling of sub-clients do to what a person may. Statements without conditions are decided here, so
-- that tokens, the administration and every path of granting see the same; those with conditions are decided by the program,
-- which knows the resource, and count here as bounds:
--   grantable ⊆ permissions ⊆ reach
-- `permissions` is what a person may whatever the conditions say; `reach` what they may at most; `grantable` what they hold so
-- firmly that they may hand it on. Nobody acts on somebody whose reach is not within what they can grant.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION apply_policies(p_tenant uuid, p_user uuid, p_roles uuid[], p_permissions text[])
RETURNS TABLE (permissions text[], reach text[], grantable text[], is_conditional boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  WITH catalogue AS (
    SELECT p.code FROM permissions p JOIN tenants t ON t.id = p_tenant WHERE t.is_platform OR NOT p.is_platform
  ),
  applicable AS (
    SELECT s.effect, s.actions, s.is_conditional, s.is_personal FROM policy_statements s WHERE s.tenant_id = p_tenant AND NOT s.is_template
    UNION ALL
    SELECT s.effect, s.actions, s.is_conditional, true
    FROM policy_attachments a JOIN policy_statements s ON s.tenant_id = a.tenant_id AND s.policy_id = a.policy_id AND s.is_template
    WHERE a.tenant_id = p_tenant AND (a.user_id = p_user OR a.role_id = ANY (p_roles))
  ),
  touched AS (
    SELECT c.code,
      bool_or(s.effect = 'permit' AND NOT s.is_conditional) AS is_permitted,
      bool_or(s.effect = 'permit' AND s.is_conditional) AS may_be_permitted,
      bool_or(s.effect = 'forbid' AND NOT s.is_conditional) AS is_forbidden,
      bool_or(s.effect = 'forbid' AND s.is_conditional AND s.is_personal) AS may_be_forbidden
    FROM applicable s JOIN catalogue c ON s.actions IS NULL OR c.code = ANY (s.actions)
    GROUP BY c.code
  ),
  bounds AS (
    SELECT coalesce(t.code, h.code) AS code,
      (h.code IS NOT NULL OR t.is_permitted) AND NOT coalesce(t.is_forbidden, false) AS is_held,
      (h.code IS NOT NULL OR t.is_permitted OR t.may_be_permitted) AND NOT coalesce(t.is_forbidden, false) AS is_in_reach,
      (h.code IS NOT NULL OR t.is_permitted) AND NOT coalesce(t.is_forbidden OR t.may_be_forbidden, false) AS is_grantable
    FROM unnest(p_permissions) AS h (code) FULL JOIN touched t ON t.code = h.code
  )
  SELECT
    coalesce(array_agg(code ORDER BY code) FILTER (WHERE is_held), '{}'),
    coalesce(array_agg(code ORDER BY code) FILTER (WHERE is_in_reach), '{}'),
    coalesce(array_agg(code ORDER BY code) FILTER (WHERE is_grantable), '{}'),
    EXISTS (SELECT FROM applicable s WHERE s.is_conditional)
  FROM bounds
$$;
ALTER FUNCTION apply_policies(uuid, uuid, uuid[], text[]) OWNER TO signet_system;

-- As in 0005, and: policies; a sub-client never holds more than its client does at the same moment, and is of the platform
-- only while its client is. Staff are bound by no ceiling.
DROP FUNCTION member_access(uuid, uuid);
CREATE FUNCTION member_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (
  roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[], grantable text[],
  is_conditional boolean, kind text, parent_id uuid, role_ids uuid[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_ceiling record;
  v_platform uuid := (SELECT t.id FROM tenants t WHERE t.is_platform);
BEGIN
  -- By the unique key alone: whatever the server believes of a table that has just grown, this finds one row.
  WITH membership AS (
    SELECT m.tenant_id, m.id FROM memberships m WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.status = 'active'
    UNION ALL
    SELECT m.tenant_id, m.id FROM memberships m
    WHERE m.tenant_id = v_platform AND v_platform <> p_tenant AND m.user_id = p_user AND m.status = 'active'
  ),
  held AS (
    SELECT m.tenant_id, m.tenant_id IS NOT DISTINCT FROM v_platform AS is_platform, r.id, r.name, r.holds
    FROM membership m
    LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
  ),
  facts AS (
    SELECT coalesce(bool_or(tenant_id = p_tenant), false) AS member, coalesce(bool_or(is_platform AND holds = 'all'), false) AS staff FROM held
  ),
  acting AS (
    SELECT id, name, holds FROM held WHERE tenant_id = p_tenant AND id IS NOT NULL
    UNION ALL
    SELECT NULL, 'super_admin', 'all' FROM facts WHERE staff AND NOT member
  )
  SELECT
    coalesce((SELECT array_agg(name ORDER BY name) FROM acting), '{}'),
    CASE
      WHEN EXISTS (SELECT FROM acting WHERE holds = 'all') THEN (SELECT array_agg(code ORDER BY code) FROM permissions)
      WHEN EXISTS (SELECT FROM acting WHERE holds = 'tenant') THEN (SELECT array_agg(code ORDER BY code) FROM permissions WHERE NOT is_platform)
      ELSE coalesce((
        SELECT array_agg(DISTINCT rp.permission_code ORDER BY rp.permission_code)
        FROM acting a JOIN role_permissions rp ON rp.tenant_id = p_tenant AND rp.role_id = a.id), '{}')
    END,
    member,
    staff,
    (SELECT array_agg(id) FROM acting WHERE id IS NOT NULL)
  INTO roles, permissions, is_member, is_platform_staff, role_ids
  FROM facts;
  role_ids := coalesce(role_ids, '{}');
  reach := permissions;
  grantable := permissions;
  is_conditional := false;

  IF EXISTS (SELECT FROM policy_statements s WHERE s.tenant_id = p_tenant) AND (is_member OR NOT is_platform_staff) THEN
    SELECT a.permissions, a.reach, a.grantable, a.is_conditional INTO permissions, reach, grantable, is_conditional
    FROM apply_policies(p_tenant, p_user, role_ids, permissions) a;
  END IF;

  SELECT u.kind, u.parent_id INTO kind, parent_id FROM users u WHERE u.id = p_user;
  IF parent_id IS NOT NULL THEN
    SELECT a.* INTO v_ceiling FROM member_access(p_tenant, parent_id) a;
    permissions := ARRAY(SELECT unnest(permissions) INTERSECT SELECT unnest(v_ceiling.permissions) ORDER BY 1);
    reach := ARRAY(SELECT unnest(reach) INTERSECT SELECT unnest(v_ceiling.reach) ORDER BY 1);
    grantable := ARRAY(SELECT unnest(grantable) INTERSECT SELECT unnest(v_ceiling.grantable) ORDER BY 1);
    is_conditional := is_conditional OR v_ceiling.is_conditional;
    is_platform_staff := is_platform_staff AND v_ceiling.is_platform_staff;
  END IF;
  RETURN NEXT;
END
$$;
ALTER FUNCTION member_access(uuid, uuid) OWNER TO signet_system;

-- As in 0011, and: kind and bounds. Policies do not bind platform staff: somebody has to be able to mend them.
DROP FUNCTION load_actor(uuid, uuid, uuid);
CREATE FUNCTION load_actor(p_user uuid, p_tenant uuid, p_session uuid)
RETURNS TABLE (
  roles text[], permissions text[], is_platform_staff boolean, must_change boolean, act_sub uuid, grantable text[],
  is_conditional boolean, kind text, parent_id uuid, role_ids uuid[]
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT a.roles,
    CASE WHEN a.is_platform_staff THEN c.codes ELSE a.permissions END,
    a.is_platform_staff,
    coalesce(p.must_change, false),
    s.act_sub,
    CASE WHEN a.is_platform_staff THEN c.codes ELSE a.grantable END,
    a.is_conditional AND NOT a.is_platform_staff,
    a.kind, a.parent_id, a.role_ids
  FROM sessions s
  JOIN users u ON u.id = s.user_id AND u.status = 'active'
  JOIN tenants t ON t.id = s.tenant_id AND t.status = 'active'
  LEFT JOIN password_credentials p ON p.tenant_id = u.tenant_id AND p.user_id = u.id
  CROSS JOIN LATERAL member_access(p_tenant, p_user) a
  LEFT JOIN LATERAL (SELECT array_agg(code ORDER BY code) AS codes FROM permissions WHERE a.is_platform_staff) c ON true
  WHERE s.id = p_session AND s.user_id = p_user AND s.tenant_id = p_tenant AND s.ended_at IS NULL AND s.expires_at > now()
    AND (a.is_member OR a.is_platform_staff)
    AND (s.act_sub IS NULL OR (NOT a.is_platform_staff AND may_act_for(p_tenant, s.act_sub, a.reach)))
$$;
ALTER FUNCTION load_actor(uuid, uuid, uuid) OWNER TO signet_system;

-- As in 0011, and: what the advisor could hand on decides, so that no condition on the advisor is passed over.
CREATE OR REPLACE FUNCTION may_act_for(p_tenant uuid, p_act uuid, p_permissions text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM users u CROSS JOIN LATERAL member_access(p_tenant, u.id) a
    WHERE u.id = p_act AND u.status = 'active' AND a.is_member AND 'advisor' = ANY (a.roles) AND a.grantable @> p_permissions)
$$;

-- Whatever changes what the roles and policies of a tenant say makes a new version of its bundle: once a statement, in the
-- transaction of the change, so that whoever reads the version reads what belongs to it.
CREATE FUNCTION raise_bundle_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_before text := current_setting('signet.tenant_id', true);
  v_tenant uuid;
BEGIN
  FOR v_tenant IN SELECT DISTINCT c.tenant_id FROM changed c JOIN tenants t ON t.id = c.tenant_id ORDER BY 1 LOOP
    PERFORM set_config('signet.tenant_id', v_tenant::text, true);
    INSERT INTO bundle_versions AS b (tenant_id, version) VALUES (v_tenant, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET version = b.version + 1;
  END LOOP;
  PERFORM set_config('signet.tenant_id', coalesce(v_before, ''), true);
  RETURN NULL;
END
$$;
ALTER FUNCTION raise_bundle_version() OWNER TO signet_system;

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['roles', 'role_permissions', 'policies', 'policy_statements', 'policy_attachments'] LOOP
    EXECUTE format('CREATE TRIGGER %1$s__bundle_inserted AFTER INSERT ON %1$s REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION raise_bundle_version()', v_table);
    EXECUTE format('CREATE TRIGGER %1$s__bundle_updated AFTER UPDATE ON %1$s REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION raise_bundle_version()', v_table);
    EXECUTE format('CREATE TRIGGER %1$s__bundle_deleted AFTER DELETE ON %1$s REFERENCING OLD TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION raise_bundle_version()', v_table);
  END LOOP;
END
$$;

-- A unit is never below itself, whichever path moves it, and what hangs below it fits into the 64 levels as well: those who
-- move units of one tenant wait for one another, and each looks only after the one before has committed.
CREATE FUNCTION keep_tree() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
  v_ancestor uuid := NEW.parent_id;
  v_below uuid[] := ARRAY[NEW.id];
  v_depth integer := 1;
BEGIN
  IF NEW.parent_id IS NULL THEN RETURN NEW; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('org-units:' || NEW.tenant_id, 0));
  WHILE v_ancestor IS NOT NULL LOOP
    IF v_ancestor = NEW.id THEN
      RAISE EXCEPTION 'a unit is not below itself' USING ERRCODE = 'check_violation', CONSTRAINT = 'org_units__cycle';
    END IF;
    v_depth := v_depth + 1;
    IF v_depth > 64 THEN
      RAISE EXCEPTION 'the tree is too deep' USING ERRCODE = 'check_violation', CONSTRAINT = 'org_units__depth';
    END IF;
    SELECT o.parent_id INTO v_ancestor FROM org_units o WHERE o.tenant_id = NEW.tenant_id AND o.id = v_ancestor;
  END LOOP;
  IF TG_OP = 'INSERT' THEN RETURN NEW; END IF;
  LOOP
    SELECT array_agg(o.id) INTO v_below FROM org_units o WHERE o.tenant_id = NEW.tenant_id AND o.parent_id = ANY (v_below);
    EXIT WHEN v_below IS NULL;
    v_depth := v_depth + 1;
    IF v_depth > 64 THEN
      RAISE EXCEPTION 'the tree is too deep' USING ERRCODE = 'check_violation', CONSTRAINT = 'org_units__depth';
    END IF;
  END LOOP;
  RETURN NEW;
END
$$;
CREATE TRIGGER org_units__tree BEFORE INSERT OR UPDATE OF parent_id ON org_units FOR EACH ROW EXECUTE FUNCTION keep_tree();

-- The sub-clients of a client that is suspended are suspended with it, their sessions end, and they come back with it; those
-- who were suspended before stay so. A sub-client is active only while its client is. A client that has sub-clients is not
-- deleted, whichever path tries.
CREATE FUNCTION follow_client() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v record;
BEGIN
  IF NEW.status = 'suspended' THEN
    FOR v IN
      UPDATE users u SET status = 'suspended', is_suspended_with_client = true, version = u.version + 1, updated_at = now()
      WHERE u.tenant_id = NEW.tenant_id AND u.parent_id = NEW.id AND u.status = 'active'
      RETURNING u.id
    LOOP
      PERFORM end_user_sessions(v.id, NULL, 'client-suspended');
    END LOOP;
  ELSIF NEW.status = 'active' THEN
    UPDATE users u SET status = 'active', is_suspended_with_client = false, version = u.version + 1, updated_at = now()
    WHERE u.tenant_id = NEW.tenant_id AND u.parent_id = NEW.id AND u.status = 'suspended' AND u.is_suspended_with_client;
  ELSIF EXISTS (SELECT FROM users u WHERE u.tenant_id = NEW.tenant_id AND u.parent_id = NEW.id AND u.status <> 'deleted') THEN
    RAISE EXCEPTION 'the client has sub-clients' USING ERRCODE = 'check_violation', CONSTRAINT = 'users__client_in_use';
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION follow_client() OWNER TO signet_system;
CREATE TRIGGER users__follow_client AFTER UPDATE OF status ON users
  FOR EACH ROW WHEN (NEW.kind = 'client' AND OLD.status <> NEW.status) EXECUTE FUNCTION follow_client();

CREATE FUNCTION keep_sub_client() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  IF NEW.status <> 'active' THEN RETURN NEW; END IF;
  PERFORM FROM users u
  WHERE u.tenant_id = NEW.tenant_id AND u.id = NEW.parent_id AND u.kind = 'client' AND u.status = 'active' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the client is not active' USING ERRCODE = 'check_violation', CONSTRAINT = 'users__client_not_active';
  END IF;
  NEW.is_suspended_with_client := false;
  RETURN NEW;
END
$$;
ALTER FUNCTION keep_sub_client() OWNER TO signet_system;
CREATE TRIGGER users__keep_sub_client BEFORE INSERT OR UPDATE OF status, parent_id ON users
  FOR EACH ROW WHEN (NEW.kind = 'sub_client') EXECUTE FUNCTION keep_sub_client();

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION apply_policies(uuid, uuid, uuid[], text[]), member_access(uuid, uuid), load_actor(uuid, uuid, uuid),
  raise_bundle_version(), keep_tree(), follow_client(), keep_sub_client() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_policies(uuid, uuid, uuid[], text[]), member_access(uuid, uuid), load_actor(uuid, uuid, uuid)
  TO signet_app, signet_system;
