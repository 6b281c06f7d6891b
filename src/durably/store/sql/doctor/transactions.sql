-- What keeps vacuum from removing dead rows of this database, the oldest first: transactions, prepared transactions,
-- replication slots. `hidden` are sessions that this role may not see into. Locks: none.
SELECT held.kind, held.name, held.role, held.state, held.seconds, hidden.sessions AS hidden
FROM (SELECT count(*) AS sessions FROM pg_catalog.pg_stat_activity
      WHERE query = '<insufficient privilege>' AND datname = current_database()) hidden
LEFT JOIN LATERAL (
    SELECT 'transaction' AS kind, a.pid::text AS name, a.usename::text AS role,
           concat_ws(', ', NULLIF(a.application_name, ''), a.state) AS state,
           EXTRACT(epoch FROM clock_timestamp() - a.xact_start)::double precision AS seconds
    FROM pg_catalog.pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL) AND a.backend_type = 'client backend'
      AND a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s::double precision)
    UNION ALL
    SELECT 'prepared', p.gid, p.owner::text, 'prepared',
           EXTRACT(epoch FROM clock_timestamp() - p.prepared)::double precision
    FROM pg_catalog.pg_prepared_xacts p
    WHERE p.database = current_database()
      AND p.prepared < clock_timestamp() - make_interval(secs => %(seconds)s::double precision)
    UNION ALL
    SELECT 'slot', s.slot_name::text, NULL, CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL
    FROM pg_catalog.pg_replication_slots s
    WHERE NOT s.active AND (s.xmin IS NOT NULL OR s.database = current_database())
    ORDER BY seconds DESC NULLS LAST
    LIMIT 20
) held ON true
