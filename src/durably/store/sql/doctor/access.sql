-- What this role may do with each table of both schemas. From the catalogs, which every role may read. Locks: none.
SELECT n.nspname = %(extension)s::text AS is_extension, c.relname::text AS name,
       has_schema_privilege(n.oid, 'USAGE') AS has_usage,
       array_remove(ARRAY[
           CASE WHEN has_table_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
           CASE WHEN has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
           CASE WHEN has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
           CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END], NULL) AS privileges
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN (%(schema)s::text, %(extension)s::text) AND c.relkind IN ('r', 'p')
ORDER BY 1, 2
