-- What decisions are made of: who somebody is in a tenant, and what the tenant's roles and policies say. Both in one statement
-- each, so that what is read belongs together, and for any tenant: whoever decides may stand in another one.
GRANT CREATE ON SCHEMA public TO signet_system;
GRANT SELECT ON policies TO signet_system;
CREATE POLICY system_reads ON policies FOR SELECT TO signet_system USING (true);

-- Those of the people who may do anything in the tenant now, with their client where they are sub-clients. Platform staff are
-- found in every tenant and are bound by no policy, as in load_actor.
CREATE FUNCTION find_subjects(p_tenant uuid, p_users uuid[])
RETURNS TABLE (id uuid, kind text, roles text[], is_exempt boolean, client_id uuid, client_kind text, client_roles text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT u.id, u.kind,
    CASE WHEN a.is_platform_staff AND NOT 'super_admin' = ANY (a.roles) THEN a.roles || 'super_admin'::text ELSE a.roles END,
    a.is_platform_staff,
    c.id, c.kind, coalesce(ca.roles, '{}')
  FROM tenants t
  JOIN users u ON u.id = ANY (p_users) AND u.status = 'active'
  CROSS JOIN LATERAL member_access(t.id, u.id) a
  LEFT JOIN users c ON c.id = u.parent_id
  LEFT JOIN LATERAL member_access(t.id, c.id) ca ON c.id IS NOT NULL
  WHERE t.id = p_tenant AND t.status = 'active' AND (a.is_member OR a.is_platform_staff)
$$;
ALTER FUNCTION find_subjects(uuid, uuid[]) OWNER TO signet_system;

-- Two numbers that name what load_bundle would give. The catalogue is no tenant's, so that no version rises with it; built-in
-- roles hold all of it.
CREATE FUNCTION find_bundle_stamp(p_tenant uuid) RETURNS TABLE (version bigint, catalogue bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT coalesce((SELECT b.version FROM bundle_versions b WHERE b.tenant_id = p_tenant), 0),
    (SELECT coalesce(bit_xor(hashtextextended(p.code || p.is_platform, 0)), 0) FROM permissions p)
$$;
ALTER FUNCTION find_bundle_stamp(uuid) OWNER TO signet_system;

-- The bundle as the engine of decisions takes it, with the stamp that it was read under.
CREATE FUNCTION load_bundle(p_tenant uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT jsonb_build_object(
    'tenant', t.id,
    'version', s.version,
    'catalogue', s.catalogue::text,
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
  FROM tenants t CROSS JOIN LATERAL find_bundle_stamp(t.id) s
  WHERE t.id = p_tenant
$$;
ALTER FUNCTION load_bundle(uuid) OWNER TO signet_system;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION find_subjects(uuid, uuid[]), find_bundle_stamp(uuid), load_bundle(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_subjects(uuid, uuid[]), find_bundle_stamp(uuid), load_bundle(uuid) TO signet_app;
