-- A permission that a policy names, in whichever tenant, stays in the catalogue, as one does that a role holds: what the policy
-- says of it would sleep, and take effect again when somebody adds the code anew.
GRANT CREATE ON SCHEMA public TO signet_system;

CREATE FUNCTION keep_named_permission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM policy_statements s WHERE OLD.code = ANY (s.actions)) THEN
    RAISE EXCEPTION 'policies name the permission' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'policy_statements__permission';
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION keep_named_permission() OWNER TO signet_system;
CREATE TRIGGER permissions__keep_named AFTER DELETE OR UPDATE OF code ON permissions
  FOR EACH ROW EXECUTE FUNCTION keep_named_permission();

-- The other half, as a foreign key has it: the lock makes a removal wait for the policy that it has to see, or be waited for.
CREATE FUNCTION hold_named_permissions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM FROM permissions p WHERE p.code = ANY (NEW.actions) ORDER BY p.code FOR KEY SHARE;
  IF EXISTS (SELECT FROM unnest(NEW.actions) AS a (code) WHERE NOT EXISTS (SELECT FROM permissions p WHERE p.code = a.code)) THEN
    RAISE EXCEPTION 'no such permission' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'policy_statements__permission';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER policy_statements__hold_named AFTER INSERT OR UPDATE OF actions ON policy_statements
  FOR EACH ROW WHEN (NEW.actions IS NOT NULL) EXECUTE FUNCTION hold_named_permissions();

REVOKE CREATE ON SCHEMA public FROM signet_system;
REVOKE EXECUTE ON FUNCTION keep_named_permission(), hold_named_permissions() FROM PUBLIC;
