-- Business accounts: what 0018 left open.
GRANT CREATE ON SCHEMA public TO signet_system;

-- As in 0018, and: a sub-client is of the platform only while its client is. Staff are bound by no ceiling.
CREATE OR REPLACE FUNCTION member_access(p_tenant uuid, p_user uuid)
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
BEGIN
  WITH held AS (
    SELECT m.tenant_id, t.is_platform, r.id, r.name, r.holds
    FROM memberships m
    JOIN tenants t ON t.id = m.tenant_id
    LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
    WHERE m.user_id = p_user AND m.status = 'active' AND (m.tenant_id = p_tenant OR t.is_platform)
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

-- As in 0018, and: a client that has sub-clients is not deleted, whichever path tries.
CREATE OR REPLACE FUNCTION follow_client() RETURNS trigger
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

REVOKE CREATE ON SCHEMA public FROM signet_system;
