-- How large the database is, since when there are finished workflows, and how old the oldest open transaction is that
-- this role may see: nothing that was deleted since can be vacuumed. Index: idx_workflow_status_completed_at.
SELECT current_database() AS database, pg_database_size(current_database()) AS bytes,
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only,
       (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS measured_at,
       (SELECT s.completed_at FROM {schema}.workflow_status s WHERE s.completed_at IS NOT NULL
        ORDER BY s.completed_at LIMIT 1) AS oldest_finished_at,
       (SELECT (EXTRACT(epoch FROM min(a.xact_start)) * 1000)::bigint FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()) AS oldest_transaction_at
