-- Staff are bound by no ceiling (0018), and decisions say so too: whoever is exempt has no client here. So a ceiling tells, also
-- where nobody asks the database, that a sub-client which was given the role `super_admin` is none of the staff: its client is not.
GRANT CREATE ON SCHEMA public TO signet_system;

-- As in 0020, and: no client of those who are exempt.
CREATE OR REPLACE FUNCTION find_subjects(p_tenant uuid, p_users uuid[])
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
  LEFT JOIN users c ON c.id = u.parent_id AND NOT a.is_platform_staff
  LEFT JOIN LATERAL member_access(t.id, c.id) ca ON c.id IS NOT NULL
  WHERE t.id = p_tenant AND t.status = 'active' AND (a.is_member OR a.is_platform_staff)
$$;

REVOKE CREATE ON SCHEMA public FROM signet_system;
