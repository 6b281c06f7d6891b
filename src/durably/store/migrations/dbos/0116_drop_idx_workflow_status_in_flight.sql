-- Replaced by idx_workflow_status_in_flight_v2.
-- Outside a transaction, so that nobody waits behind the drop.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.idx_workflow_status_in_flight;
