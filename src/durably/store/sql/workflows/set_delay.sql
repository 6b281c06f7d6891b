-- Another instant for a delayed workflow, given or so many milliseconds from now; not where it is one of `kept`, which
-- mean a pause, or that it is stranded. Index: primary key. No row: there is no such workflow.
WITH locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status, s.delay_until_epoch_ms
    FROM {schema}.workflow_status s WHERE s.workflow_uuid = %(workflow_id)s::text
    FOR NO KEY UPDATE OF s
), changed AS (
    UPDATE {schema}.workflow_status s
    SET delay_until_epoch_ms = COALESCE(
            %(delay_until)s::bigint,
            (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint + %(delay_ms)s::bigint),
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM locked
    WHERE s.workflow_uuid = locked.workflow_uuid AND s.workflow_uuid = %(workflow_id)s::text
      AND locked.status = 'DELAYED' AND NOT locked.delay_until_epoch_ms = ANY (%(kept)s::bigint[])
    RETURNING s.workflow_uuid
)
SELECT locked.status, locked.delay_until_epoch_ms, (SELECT count(*) FROM changed) > 0 AS changed FROM locked
