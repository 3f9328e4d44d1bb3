GRANT CREATE ON SCHEMA public TO signet_system;

-- As in 0018, and: one plain read tells of memberships and roles, and permissions are read only where roles name them. Every sign-in
-- and every refresh comes through here: it took a third of what a refresh costs.
CREATE OR REPLACE FUNCTION member_access(p_tenant uuid, p_user uuid)
RETURNS TABLE (
  roles text[], permissions text[], is_member boolean, is_platform_staff boolean, reach text[], grantable text[],
  is_conditional boolean, kind text, parent_id uuid, role_ids uuid[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  v_ceiling record;
  v_platform uuid := (SELECT t.id FROM tenants t WHERE t.is_platform);
  v_all boolean;
  v_tenant boolean;
BEGIN
  SELECT
    coalesce(bool_or(m.tenant_id = p_tenant), false),
    coalesce(bool_or(m.tenant_id = v_platform AND r.holds = 'all'), false),
    coalesce(array_agg(r.name ORDER BY r.name) FILTER (WHERE m.tenant_id = p_tenant AND r.id IS NOT NULL), '{}'),
    coalesce(array_agg(r.id) FILTER (WHERE m.tenant_id = p_tenant AND r.id IS NOT NULL), '{}'),
    coalesce(bool_or(m.tenant_id = p_tenant AND r.holds = 'all'), false),
    coalesce(bool_or(m.tenant_id = p_tenant AND r.holds = 'tenant'), false)
  INTO is_member, is_platform_staff, roles, role_ids, v_all, v_tenant
  FROM memberships m
  LEFT JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
  LEFT JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
  WHERE m.tenant_id IN (p_tenant, v_platform) AND m.user_id = p_user AND m.status = 'active';

  IF is_platform_staff AND NOT is_member THEN
    roles := ARRAY['super_admin'];
    v_all := true;
  END IF;
  IF v_all THEN
    permissions := ARRAY(SELECT p.code FROM permissions p ORDER BY p.code);
  ELSIF v_tenant THEN
    permissions := ARRAY(SELECT p.code FROM permissions p WHERE NOT p.is_platform ORDER BY p.code);
  ELSIF role_ids <> '{}' THEN
    permissions := ARRAY(
      SELECT DISTINCT rp.permission_code FROM role_permissions rp WHERE rp.tenant_id = p_tenant AND rp.role_id = ANY (role_ids) ORDER BY 1);
  ELSE
    permissions := '{}';
  END IF;
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

REVOKE CREATE ON SCHEMA public FROM signet_system;
