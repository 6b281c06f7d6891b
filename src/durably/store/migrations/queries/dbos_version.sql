-- The generation of DBOS's tables; NULL when a migration was begun and none is done. Locks: none.
SELECT max(version) FROM {schema}.dbos_migrations
