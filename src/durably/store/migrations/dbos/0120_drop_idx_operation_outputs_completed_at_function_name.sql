-- Replaced by idx_operation_outputs_completed_at_function_name_v2.
-- Outside a transaction, so that nobody waits behind the drop.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.idx_operation_outputs_completed_at_function_name;
