-- Objects in the image store that nobody uses, and when each may be removed. An object is named here before its bytes are
-- written, and again when the row that used it uses another one or none: whatever a crash leaves behind is found here.
CREATE TABLE unused_images (
  key text NOT NULL,
  due_at timestamptz NOT NULL,
  CONSTRAINT unused_images__key PRIMARY KEY (key)
);
CREATE INDEX unused_images__due_at ON unused_images (due_at);
GRANT SELECT, INSERT, DELETE ON unused_images TO signet_app;
GRANT INSERT ON unused_images TO signet_system;

-- Not at once: somebody may just be reading it.
CREATE FUNCTION release_image(p_key text) RETURNS void
LANGUAGE sql
SET search_path = public, pg_temp
AS $$
  INSERT INTO unused_images (key, due_at) VALUES (p_key, now() + interval '1 minute') ON CONFLICT DO NOTHING
$$;

-- Whoever is deleted has no picture left, whichever path deletes them.
CREATE FUNCTION release_avatar() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  IF NEW.status = 'deleted' THEN NEW.avatar_key := NULL; END IF;
  IF NEW.avatar_key IS DISTINCT FROM OLD.avatar_key THEN PERFORM release_image(OLD.avatar_key); END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER users__release_avatar BEFORE UPDATE ON users
  FOR EACH ROW WHEN (OLD.avatar_key IS NOT NULL AND (NEW.avatar_key IS DISTINCT FROM OLD.avatar_key OR NEW.status = 'deleted'))
  EXECUTE FUNCTION release_avatar();

CREATE FUNCTION release_logo() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM release_image(OLD.logo_key);
  RETURN NULL;
END
$$;
CREATE TRIGGER tenants__release_logo AFTER UPDATE ON tenants
  FOR EACH ROW WHEN (OLD.logo_key IS NOT NULL AND NEW.logo_key IS DISTINCT FROM OLD.logo_key) EXECUTE FUNCTION release_logo();
CREATE TRIGGER tenants__release_logo_of_deleted AFTER DELETE ON tenants
  FOR EACH ROW WHEN (OLD.logo_key IS NOT NULL) EXECUTE FUNCTION release_logo();

REVOKE EXECUTE ON FUNCTION release_image(text), release_avatar(), release_logo() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_image(text), release_avatar(), release_logo() TO signet_app, signet_system;
