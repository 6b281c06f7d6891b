-- What stands in the two schemas: one row per table (or view of that name) of ours or DBOS's, with its columns
-- and what this role may do.
-- From the catalogs, which every role may read and which hide nothing from it. Locks: none.
SELECT
    n.nspname = %(extension)s AS is_extension,
    c.relname AS name,
    array_remove(array_agg(a.attname::text), NULL) AS columns,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
    EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS t
        WHERE t.tgrelid = c.oid AND t.tgname = 'dbos_notifications_trigger' AND t.tgenabled IN ('O', 'A')
    ) AS notifies
FROM pg_catalog.pg_namespace AS n
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN (%(schema)s, %(extension)s) AND c.relname::text = ANY (%(tables)s::text[])
GROUP BY n.oid, n.nspname, c.oid, c.relname
