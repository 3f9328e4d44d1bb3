GRANT CREATE ON SCHEMA public TO signet_system;

-- The roles that each tenant has from its first moment.
CREATE FUNCTION create_built_in_roles(p_tenant uuid) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = public, pg_temp
AS $$
  INSERT INTO roles (tenant_id, id, name, description, is_built_in, holds)
  SELECT t.id, new_id(), b.name, b.description, true, b.holds
  FROM tenants t, (VALUES
    ('admin', 'Administers this tenant: holds every permission of it', 'tenant'),
    ('advisor', 'Advises the people assigned to them', 'listed'),
    ('member', 'Everybody who has an account here', 'listed'),
    ('super_admin', 'Administers the installation', 'all')
  ) AS b (name, description, holds)
  WHERE t.id = p_tenant AND (t.is_platform OR b.name <> 'super_admin')
$$;

-- A tenant keeps an administrator and the platform a super_admin, whichever path takes the last one away. Those who try
-- at once wait for one another, and each looks only after the one before has committed.
CREATE FUNCTION keep_administrator(p_tenant uuid, p_role uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('administrators:' || p_tenant || ':' || p_role, 0));
  IF NOT EXISTS (SELECT FROM tenants WHERE id = p_tenant AND status <> 'closed') THEN RETURN; END IF;
  IF NOT EXISTS (
    SELECT FROM membership_roles mr
    JOIN memberships m ON m.tenant_id = mr.tenant_id AND m.id = mr.membership_id AND m.status = 'active'
    JOIN users u ON u.id = m.user_id AND u.status = 'active'
    WHERE mr.tenant_id = p_tenant AND mr.role_id = p_role
  ) THEN
    RAISE EXCEPTION 'the last administrator stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships__last_administrator';
  END IF;
END
$$;
ALTER FUNCTION keep_administrator(uuid, uuid) OWNER TO signet_system;

CREATE FUNCTION guard_role_removal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM roles WHERE tenant_id = OLD.tenant_id AND id = OLD.role_id AND holds <> 'listed') THEN
    PERFORM keep_administrator(OLD.tenant_id, OLD.role_id);
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION guard_role_removal() OWNER TO signet_system;
CREATE TRIGGER membership_roles__last_administrator AFTER DELETE ON membership_roles
  FOR EACH ROW EXECUTE FUNCTION guard_role_removal();

CREATE FUNCTION guard_user_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v record;
BEGIN
  FOR v IN
    SELECT mr.tenant_id, mr.role_id
    FROM memberships m
    JOIN membership_roles mr ON mr.tenant_id = m.tenant_id AND mr.membership_id = m.id
    JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
    WHERE m.user_id = NEW.id AND m.status = 'active' AND r.holds <> 'listed'
    ORDER BY mr.tenant_id, mr.role_id
  LOOP
    PERFORM keep_administrator(v.tenant_id, v.role_id);
  END LOOP;
  RETURN NULL;
END
$$;
ALTER FUNCTION guard_user_status() OWNER TO signet_system;
CREATE TRIGGER users__last_administrator AFTER UPDATE OF status ON users
  FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION guard_user_status();

-- The first tenant and its administrator, once: the unique index on the platform tenant decides between two who try.
-- The administrator lives in the platform tenant as super_admin and is a member of the company as admin.
CREATE FUNCTION bootstrap_installation(
  p_platform uuid, p_company uuid, p_slug text, p_name text, p_user uuid, p_email text, p_first_name text, p_last_name text,
  p_hash text, p_ip text, p_request uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_membership uuid;
  v record;
BEGIN
  PERFORM set_config('signet.tenant_id', p_platform::text, true);
  INSERT INTO tenants (id, slug, name, is_platform) VALUES (p_platform, 'platform', 'Platform', true);
  PERFORM create_built_in_roles(p_platform);
  INSERT INTO users (tenant_id, id, email, first_name, last_name, email_verified_at)
  VALUES (p_platform, p_user, lower(p_email), p_first_name, p_last_name, now());
  INSERT INTO password_credentials (tenant_id, user_id, hash) VALUES (p_platform, p_user, p_hash);
  PERFORM set_config('signet.tenant_id', p_company::text, true);
  INSERT INTO tenants (id, slug, name, settings) VALUES (p_company, p_slug, p_name, '{"self_registration": true}');
  PERFORM create_built_in_roles(p_company);

  FOR v IN SELECT * FROM (VALUES (p_platform, 'super_admin'), (p_company, 'admin')) AS b (tenant, role) LOOP
    PERFORM set_config('signet.tenant_id', v.tenant::text, true);
    v_membership := new_id();
    INSERT INTO memberships (tenant_id, id, user_id) VALUES (v.tenant, v_membership, p_user);
    INSERT INTO membership_roles (tenant_id, membership_id, role_id)
    SELECT v.tenant, v_membership, r.id FROM roles r WHERE r.tenant_id = v.tenant AND r.name = v.role;
    INSERT INTO audit_events (tenant_id, id, action, actor_id, target_type, target_id, after, ip, request_id)
    VALUES (v.tenant, new_id(), 'installation.bootstrapped', p_user, 'tenant', v.tenant, jsonb_build_object('role', v.role), p_ip, p_request);
  END LOOP;
END
$$;
ALTER FUNCTION bootstrap_installation(uuid, uuid, text, text, uuid, text, text, text, text, text, uuid) OWNER TO signet_system;

-- A person takes up an invitation: they know its id, which only the inviting tenant was told, and own its address.
CREATE FUNCTION accept_membership(p_membership uuid, p_user uuid, p_ip text, p_request uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  v_tenant uuid;
BEGIN
  SELECT m.tenant_id INTO v_tenant FROM memberships m WHERE m.id = p_membership;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM set_config('signet.tenant_id', v_tenant::text, true);
  UPDATE memberships m SET user_id = u.id, invited_email = NULL, status = 'active', updated_at = now(), version = m.version + 1
  FROM users u
  WHERE m.tenant_id = v_tenant AND m.id = p_membership AND m.status = 'invited'
    AND u.id = p_user AND u.status = 'active' AND u.email = m.invited_email;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM record_event(v_tenant, 'membership.accepted', p_user, NULL, 'membership', p_membership::text, NULL, p_ip, p_request);
  RETURN v_tenant;
END
$$;
ALTER FUNCTION accept_membership(uuid, uuid, text, uuid) OWNER TO signet_system;
CREATE UNIQUE INDEX memberships__id ON memberships (id);

-- Name and address of the people of other tenants who are members of this one.
CREATE FUNCTION guest_profiles(p_users uuid[]) RETURNS TABLE (id uuid, email text, username text, name text, first_name text, last_name text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT u.id, u.email, u.username, u.name, u.first_name, u.last_name
  FROM memberships m JOIN users u ON u.id = m.user_id
  WHERE m.tenant_id = current_tenant() AND m.status = 'active' AND m.user_id = ANY (p_users)
$$;
ALTER FUNCTION guest_profiles(uuid[]) OWNER TO signet_system;

-- The memberships of one person, for that person: where they may go.
CREATE FUNCTION memberships_of(p_user uuid)
RETURNS TABLE (membership_id uuid, tenant_id uuid, tenant_slug text, tenant_name text, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
  SELECT m.id, t.id, t.slug, t.name, coalesce((
    SELECT array_agg(r.name ORDER BY r.name)
    FROM membership_roles mr JOIN roles r ON r.tenant_id = mr.tenant_id AND r.id = mr.role_id
    WHERE mr.tenant_id = m.tenant_id AND mr.membership_id = m.id), '{}')
  FROM memberships m JOIN tenants t ON t.id = m.tenant_id
  WHERE m.user_id = p_user AND m.status = 'active' AND t.status = 'active'
  ORDER BY t.name, t.id
$$;
ALTER FUNCTION memberships_of(uuid) OWNER TO signet_system;

-- All tenants, for the platform's own list of them. It runs with its owner's rights, as the functions above do.
CREATE VIEW all_tenants AS SELECT * FROM tenants;
ALTER VIEW all_tenants OWNER TO signet_system;
GRANT SELECT ON all_tenants TO signet_app;

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO signet_app, signet_system;
