-- Audit events and messages in a partition a month, by the time in their ids: whole months leave at once, and nothing is deleted.
-- A role of its own owns them, since only an owner adds and drops partitions: nobody logs in as it, and nobody can become it but
-- whoever migrates. Programs reach the partitions through their parents alone.
DO $$
BEGIN
  BEGIN
    CREATE ROLE signet_partitions NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
  END;
  IF NOT pg_has_role(current_user, 'signet_partitions', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    GRANT signet_partitions TO CURRENT_USER;
  END IF;
END
$$;
GRANT USAGE, CREATE ON SCHEMA public TO signet_partitions;
CREATE SCHEMA partitions AUTHORIZATION signet_partitions;

ALTER TABLE audit_events RENAME TO audit_events_first;
ALTER TABLE audit_events_first SET SCHEMA partitions;
ALTER TABLE partitions.audit_events_first RENAME CONSTRAINT audit_events__tenant_id_id TO audit_events_first__tenant_id_id;
ALTER INDEX partitions.audit_events__tenant_id_actor_id_id RENAME TO audit_events_first__tenant_id_actor_id_id;
ALTER INDEX partitions.audit_events__tenant_id_target_id_id RENAME TO audit_events_first__tenant_id_target_id_id;
ALTER INDEX partitions.audit_events__tenant_id_action_id RENAME TO audit_events_first__tenant_id_action_id;
REVOKE ALL ON partitions.audit_events_first FROM signet_app, signet_system;

CREATE TABLE audit_events (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  action text NOT NULL,
  actor_id uuid,
  session_id uuid,
  target_type text,
  target_id text,
  before jsonb,
  after jsonb,
  ip text,
  request_id uuid,
  user_agent text,
  CONSTRAINT audit_events__tenant_id_id PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX audit_events__tenant_id_actor_id_id ON audit_events (tenant_id, actor_id, id);
CREATE INDEX audit_events__tenant_id_target_id_id ON audit_events (tenant_id, target_id, id);
CREATE INDEX audit_events__tenant_id_action_id ON audit_events (tenant_id, action, id) WHERE action <> 'token.refreshed';

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_events
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT ON audit_events TO signet_app;
GRANT INSERT ON audit_events TO signet_system;

ALTER TABLE outbound_messages RENAME TO outbound_messages_first;
ALTER TABLE outbound_messages_first SET SCHEMA partitions;
ALTER TABLE partitions.outbound_messages_first RENAME CONSTRAINT outbound_messages__tenant_id_id TO outbound_messages_first__tenant_id_id;
ALTER INDEX partitions.outbound_messages__due RENAME TO outbound_messages_first__due;
ALTER INDEX partitions.outbound_messages__dead RENAME TO outbound_messages_first__dead;
DROP POLICY system_delivers ON partitions.outbound_messages_first;
REVOKE ALL ON partitions.outbound_messages_first FROM signet_app, signet_system;

CREATE TABLE outbound_messages (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel text NOT NULL,
  user_id uuid,
  recipient text NOT NULL,
  template text NOT NULL,
  payload bytea,
  status text NOT NULL DEFAULT 'queued',
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT outbound_messages__tenant_id_id PRIMARY KEY (tenant_id, id),
  CONSTRAINT outbound_messages__tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT outbound_messages__channel CHECK (channel IN ('email', 'sms', 'event')),
  CONSTRAINT outbound_messages__status CHECK (status IN ('queued', 'sending', 'sent', 'dead', 'expired', 'dropped'))
) PARTITION BY RANGE (id);
CREATE INDEX outbound_messages__due ON outbound_messages (channel, due_at) WHERE status IN ('queued', 'sending');
CREATE INDEX outbound_messages__dead ON outbound_messages (created_at) WHERE status = 'dead';

ALTER TABLE outbound_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbound_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON outbound_messages
  USING (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('signet.tenant_id', true), '')::uuid);
CREATE POLICY system_delivers ON outbound_messages FOR ALL TO signet_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON outbound_messages TO signet_system;
GRANT SELECT, INSERT ON outbound_messages TO signet_app;

-- The last one takes what belongs to no month: a partition that nobody has made yet refuses nothing.
DO $$
DECLARE
  v_table text;
  v_end uuid;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['audit_events', 'outbound_messages'] LOOP
    SELECT substring(pg_get_constraintdef(c.oid) FROM '''([0-9a-f-]{36})''')::uuid INTO v_end
    FROM pg_constraint c WHERE c.conname = v_table || '__first_partition';
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I FOR VALUES FROM (MINVALUE) TO (%L)', v_table, v_table || '_first', v_end);
    EXECUTE format('ALTER TABLE partitions.%I DROP CONSTRAINT %I', v_table || '_first', v_table || '__first_partition');
    EXECUTE format('CREATE TABLE partitions.%I PARTITION OF %I DEFAULT', v_table || '_rest', v_table);
    EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', v_table || '_rest');
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', v_table || '_rest');
    EXECUTE format('CREATE POLICY tenant_isolation ON partitions.%I '
      'USING (tenant_id = nullif(current_setting(''signet.tenant_id'', true), '''')::uuid) '
      'WITH CHECK (tenant_id = nullif(current_setting(''signet.tenant_id'', true), '''')::uuid)', v_table || '_rest');
    EXECUTE format('ALTER TABLE %I OWNER TO signet_partitions', v_table);
    EXECUTE format('ALTER TABLE partitions.%I OWNER TO signet_partitions', v_table || '_first');
    EXECUTE format('ALTER TABLE partitions.%I OWNER TO signet_partitions', v_table || '_rest');
  END LOOP;
END
$$;

-- The partitions that end somewhere, with the first id that is not theirs.
CREATE FUNCTION partitions_of(p_table text) RETURNS TABLE (name text, bound uuid)
LANGUAGE sql STABLE
SET search_path = public, pg_temp
AS $$
  SELECT b.name, b.bound
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (
    SELECT c.relname::text AS name, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([0-9a-f-]{36})''\)')::uuid AS bound
  ) b
  WHERE i.inhparent = p_table::regclass AND b.bound IS NOT NULL
$$;

-- Makes a partition for each month up to two months on, and gives their names. What had come into the last one before goes where it
-- belongs. Waits for nobody for long, since others would wait behind it: it is called again.
CREATE FUNCTION make_partitions() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC'
AS $$
DECLARE
  v_table text;
  v_rest text;
  v_name text;
  v_from uuid;
  v_month timestamptz;
  v_to uuid;
BEGIN
  IF NOT may_clean() THEN RETURN; END IF;
  FOREACH v_table IN ARRAY ARRAY['audit_events', 'outbound_messages'] LOOP
    v_rest := v_table || '_rest';
    LOOP
      SELECT p.bound INTO v_from FROM partitions_of(v_table) p ORDER BY p.bound DESC LIMIT 1;
      v_month := to_timestamp(('x' || left(replace(v_from::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
      EXIT WHEN v_month > now() + interval '2 months';
      v_to := first_id_of(v_month + interval '1 month');
      v_name := v_table || to_char(v_month, '_YYYY_MM');
      EXECUTE format('CREATE TABLE partitions.%I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = %s)',
        v_name, v_table, CASE v_table WHEN 'outbound_messages' THEN 70 ELSE 100 END);
      EXECUTE format('ALTER TABLE partitions.%I NO FORCE ROW LEVEL SECURITY', v_rest);
      EXECUTE format('WITH moved AS (DELETE FROM partitions.%I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO partitions.%I SELECT * FROM moved',
        v_rest, v_from, v_to, v_name);
      EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', v_rest);
      EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', v_name);
      EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', v_name);
      EXECUTE format('CREATE POLICY tenant_isolation ON partitions.%I '
        'USING (tenant_id = nullif(current_setting(''signet.tenant_id'', true), '''')::uuid) '
        'WITH CHECK (tenant_id = nullif(current_setting(''signet.tenant_id'', true), '''')::uuid)', v_name);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)', v_table, v_name, v_from, v_to);
      RETURN NEXT v_name;
    END LOOP;
  END LOOP;
END
$$;
ALTER FUNCTION make_partitions() OWNER TO signet_partitions;

-- Drops the partitions whose last row is older than so many days, and gives their names. Never sooner than after thirty: whoever
-- takes over a program must not be able to wipe out what it has done.
CREATE FUNCTION drop_partitions(p_table text, p_days integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '200ms'
AS $$
DECLARE
  v_name text;
BEGIN
  IF NOT may_clean() THEN RETURN; END IF;
  FOR v_name IN
    SELECT p.name FROM partitions_of(p_table) p
    WHERE p.bound <= first_id_of(now() - make_interval(days => greatest(p_days, 30))) ORDER BY p.bound
  LOOP
    EXECUTE format('DROP TABLE partitions.%I', v_name);
    RETURN NEXT v_name;
  END LOOP;
END
$$;
ALTER FUNCTION drop_partitions(text, integer) OWNER TO signet_partitions;

REVOKE CREATE ON SCHEMA public FROM signet_partitions;
REVOKE EXECUTE ON FUNCTION partitions_of(text), make_partitions(), drop_partitions(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION first_id_of(timestamptz), may_clean(), partitions_of(text) TO signet_partitions;
GRANT EXECUTE ON FUNCTION make_partitions(), drop_partitions(text, integer) TO signet_app;
