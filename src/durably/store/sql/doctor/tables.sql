-- How large the tables of both schemas are, and when they were vacuumed. From the statistics. Locks: none.
SELECT t.schemaname::text AS schema, t.relname::text AS name,
       t.n_live_tup AS live, t.n_dead_tup AS dead,
       pg_total_relation_size(t.relid) AS bytes,
       EXTRACT(epoch FROM clock_timestamp() - GREATEST(t.last_vacuum, t.last_autovacuum))::double precision
           AS vacuumed_ago,
       COALESCE('autovacuum_enabled=false' = ANY (c.reloptions)
                OR 'autovacuum_enabled=off' = ANY (c.reloptions), false) AS is_autovacuum_off,
       c.relpersistence = 'u' AS is_unlogged,
       age(c.relfrozenxid) AS xid_age
FROM pg_catalog.pg_stat_user_tables t
JOIN pg_catalog.pg_class c ON c.oid = t.relid
WHERE t.schemaname IN (%(schema)s::text, %(extension)s::text)
ORDER BY t.n_dead_tup DESC, t.relname
