-- Whether a schema is there. CREATE SCHEMA IF NOT EXISTS alone would want the right to create even where it has
-- nothing to do. Locks: none.
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %(name)s)
