-- One page of what an executor runs beside what the database thinks it runs. 'foreign': of the runs asked about,
-- what is not its own any more. 'owned': of the next PENDING rows behind `after`, whoever's they are, what is its
-- own. 'edge': where the next page begins, if there is one. A page ends between two instants of creation (WITH
-- TIES), for the index has no second column: it is longer where many were created in one millisecond.
-- Index: the primary key; idx_workflow_status_pending, in its own order and up to `most`.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(runs)s::json) AS r(workflow_id text, owner text)
), page AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid, s.executor_id, s.created_at
    FROM {schema}.workflow_status s
    WHERE s.status = 'PENDING' AND s.created_at > %(after)s::bigint
    ORDER BY s.created_at
    FETCH FIRST (%(most)s::bigint) ROWS WITH TIES
)
SELECT 'foreign' AS kind, a.workflow_id AS id, a.owner AS token, NULL::bigint AS edge
FROM asked a
WHERE a.owner IS DISTINCT FROM (
    SELECT s.owner_xid FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = a.workflow_id AND (s.status = 'PENDING') IS TRUE
      AND s.executor_id = %(executor_id)s)
UNION ALL
SELECT 'owned', workflow_uuid, owner_xid, NULL
FROM page WHERE executor_id = %(executor_id)s AND owner_xid IS NOT NULL
UNION ALL
SELECT 'edge', NULL, NULL, max(created_at) FROM page HAVING count(*) >= %(most)s::bigint AND count(*) > 0
