-- Forgets the transactions of a workflow that failed, before it is tried again: their errors are recorded in the system
-- database. Those that were committed stay, and are not done twice. Index: primary key.
DELETE FROM {schema}.datasource_outputs
WHERE workflow_id = %(workflow_id)s::text AND error IS NOT NULL
