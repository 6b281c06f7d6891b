-- The same columns as idx_workflow_topic.
-- Outside a transaction, so that nobody waits behind the drop.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.idx_notifications;
