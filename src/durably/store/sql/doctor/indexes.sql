-- The indexes of both schemas, and whether they can be used. From the catalogs. Locks: none.
SELECT n.nspname::text AS schema, t.relname::text AS table_name, i.relname::text AS name,
       x.indisvalid AND x.indisready AS is_valid
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname IN (%(schema)s::text, %(extension)s::text)
ORDER BY 1, 2, 3
