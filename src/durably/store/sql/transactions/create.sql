-- The table of an application's database that DBOS's datasources have, as they make it, once.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('durably.datasource_outputs'));
    CREATE SCHEMA IF NOT EXISTS {schema};
    CREATE TABLE IF NOT EXISTS {schema}.datasource_outputs (
        workflow_id text NOT NULL,
        step_id integer NOT NULL,
        output text,
        error text,
        serialization text,
        created_at bigint DEFAULT (EXTRACT(epoch FROM now()) * 1000)::bigint NOT NULL,
        PRIMARY KEY (workflow_id, step_id)
    );
    CREATE TABLE IF NOT EXISTS {schema}.dbos_datasource_migrations (version bigint NOT NULL PRIMARY KEY);
    INSERT INTO {schema}.dbos_datasource_migrations
    SELECT 1 WHERE NOT EXISTS (SELECT FROM {schema}.dbos_datasource_migrations);
END
$$
