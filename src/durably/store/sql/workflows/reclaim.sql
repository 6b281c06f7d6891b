-- Gives runs of this executor, once they are cancelled, their owner token back for their cleanup code, and takes
-- it (`back`) when that ends. The status stays CANCELLED; resume, rewind, fork and another cancel end the cleanup,
-- for they take the token. Not for what was resumed since: that is another's, or will be. Index: primary key.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, executor_id text, back boolean)
), changed AS (
    UPDATE {schema}.workflow_status s
    SET owner_xid = CASE WHEN a.back THEN NULL ELSE a.owner END
    FROM asked a
    WHERE s.workflow_uuid = a.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND (s.status = 'CANCELLED') IS TRUE AND s.executor_id = a.executor_id
      AND (s.owner_xid = a.owner OR (s.owner_xid IS NULL AND NOT a.back))
    RETURNING s.workflow_uuid, a.owner
)
SELECT workflow_uuid AS workflow_id, owner FROM changed
