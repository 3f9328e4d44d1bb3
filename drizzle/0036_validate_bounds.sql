-- Reads both tables while they are written to: attaching them as partitions does not have to.
ALTER TABLE audit_events VALIDATE CONSTRAINT audit_events__first_partition;
ALTER TABLE outbound_messages VALIDATE CONSTRAINT outbound_messages__first_partition;
