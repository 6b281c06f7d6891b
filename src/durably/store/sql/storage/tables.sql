-- Every table of both schemas as the catalog and the statistics know it: nothing of it is counted, no table is read.
-- `vacuum_at` is how many dead rows autovacuum waits for, by the table's own options or else the server's.
SELECT n.nspname AS schema, c.relname AS name,
       CASE WHEN c.reltuples < 0 THEN t.n_live_tup ELSE c.reltuples END::bigint AS rows,
       pg_relation_size(c.oid) AS heap_bytes, pg_indexes_size(c.oid) AS index_bytes,
       CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END AS toast_bytes,
       pg_total_relation_size(c.oid) AS total_bytes, COALESCE(t.n_dead_tup, 0) AS dead_rows,
       (o.threshold + o.factor * GREATEST(c.reltuples, 0))::bigint AS vacuum_at,
       current_setting('autovacuum')::boolean AND o.enabled AS autovacuums,
       (EXTRACT(epoch FROM GREATEST(t.last_vacuum, t.last_autovacuum)) * 1000)::bigint AS vacuumed_at,
       (EXTRACT(epoch FROM GREATEST(t.last_analyze, t.last_autoanalyze)) * 1000)::bigint AS analyzed_at
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables t ON t.relid = c.oid
CROSS JOIN LATERAL (
    SELECT COALESCE(max(g.option_value) FILTER (WHERE g.option_name = 'autovacuum_vacuum_threshold'),
                    current_setting('autovacuum_vacuum_threshold'))::float8 AS threshold,
           COALESCE(max(g.option_value) FILTER (WHERE g.option_name = 'autovacuum_vacuum_scale_factor'),
                    current_setting('autovacuum_vacuum_scale_factor'))::float8 AS factor,
           COALESCE(max(g.option_value) FILTER (WHERE g.option_name = 'autovacuum_enabled'), 'on')::boolean AS enabled
    FROM pg_options_to_table(c.reloptions) g
) o
WHERE n.nspname IN (%(system)s, %(extension)s) AND c.relkind IN ('r', 'p')
ORDER BY pg_total_relation_size(c.oid) DESC, n.nspname, c.relname
