-- As in 0018, and: what hangs below a unit moves along with it, and has to fit into the 64 levels as well.
CREATE OR REPLACE FUNCTION keep_tree() RETURNS trigger
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
