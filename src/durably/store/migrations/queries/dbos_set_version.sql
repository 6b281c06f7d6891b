-- Moves the one row of dbos_migrations up, never down; inserts it when there is none. Locks: that row.
WITH moved AS (
    UPDATE {schema}.dbos_migrations SET version = greatest(version, %(version)s)
    WHERE version = (SELECT max(version) FROM {schema}.dbos_migrations)
    RETURNING version
)
INSERT INTO {schema}.dbos_migrations (version)
SELECT %(version)s WHERE NOT EXISTS (SELECT FROM moved)
