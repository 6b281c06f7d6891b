-- Retention finds old steps.
-- Outside a transaction, so that writers go on while it is built.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_operation_outputs_retention ON {schema}.operation_outputs
    (retention_timestamp);
