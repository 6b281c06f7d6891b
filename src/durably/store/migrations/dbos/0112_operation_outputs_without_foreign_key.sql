-- Retention removes steps and workflows apart, so no foreign key joins them. It is found by what it is: databases of
-- different origin name it differently.
-- Locks: ACCESS EXCLUSIVE on both tables, for a moment.
DO $body$
DECLARE
    foreign_key name;
BEGIN
    FOR foreign_key IN
        SELECT k.conname
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS steps ON steps.oid = k.conrelid AND steps.relname = 'operation_outputs'
        JOIN pg_catalog.pg_class AS workflows ON workflows.oid = k.confrelid AND workflows.relname = 'workflow_status'
        JOIN pg_catalog.pg_namespace AS n ON n.oid = steps.relnamespace AND n.oid = workflows.relnamespace
        WHERE k.contype = 'f' AND n.nspname = {schema_text}
    LOOP
        EXECUTE pg_catalog.format(
            'ALTER TABLE %I.operation_outputs DROP CONSTRAINT %I', {schema_text}, foreign_key
        );
    END LOOP;
END
$body$;
