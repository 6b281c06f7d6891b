-- A schema. Locks: none that anybody waits for.
CREATE SCHEMA IF NOT EXISTS {name}
