-- The first of three steps to partitions (0036 reads the rows, 0037 makes them): what is there now becomes the first one, without
-- being written anew. It ends two months on, so that what is written meanwhile still belongs to it. Not looked at here, where
-- nobody else may write.
DO $$
DECLARE
  v_end uuid := first_id_of((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC');
BEGIN
  EXECUTE format('ALTER TABLE audit_events ADD CONSTRAINT audit_events__first_partition CHECK (id < %L) NOT VALID', v_end);
  EXECUTE format('ALTER TABLE outbound_messages ADD CONSTRAINT outbound_messages__first_partition CHECK (id < %L) NOT VALID', v_end);
END
$$;
