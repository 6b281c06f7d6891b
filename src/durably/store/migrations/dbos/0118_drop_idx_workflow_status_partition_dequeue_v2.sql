-- Replaced by idx_workflow_status_partition_dequeue_v3.
-- Outside a transaction, so that nobody waits behind the drop.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.idx_workflow_status_partition_dequeue_v2;
