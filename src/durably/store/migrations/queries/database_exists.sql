-- Whether the server has a database of that name. Locks: none.
SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %(name)s)
