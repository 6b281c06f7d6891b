-- The family of a workflow: its ancestors, and so many of its descendants, `breadth` of each one's children at most,
-- the nearest first. Index: primary key, idx_workflow_status_parent_workflow_id. It ends where `most` are found.
WITH RECURSIVE up AS (
    SELECT s.workflow_uuid, s.parent_workflow_id, 0 AS height
    FROM {schema}.workflow_status s WHERE s.workflow_uuid = %(workflow_id)s::text
    UNION ALL
    SELECT a.workflow_uuid, a.parent_workflow_id, u.height + 1
    FROM up u CROSS JOIN LATERAL (
        SELECT s.workflow_uuid, s.parent_workflow_id FROM {schema}.workflow_status s
        WHERE s.workflow_uuid = u.parent_workflow_id OFFSET 0
    ) a
    WHERE u.height < 30
), down AS (
    SELECT u.workflow_uuid, 0 AS depth FROM up u WHERE u.height = 0
    UNION ALL
    SELECT c.workflow_uuid, d.depth + 1
    FROM down d CROSS JOIN LATERAL (
        SELECT s.workflow_uuid FROM {schema}.workflow_status s
        WHERE s.parent_workflow_id = d.workflow_uuid LIMIT %(breadth)s::int
    ) c
    WHERE d.depth < 30
), met AS MATERIALIZED (
    SELECT u.workflow_uuid, -u.height AS depth FROM up u WHERE u.height > 0
    UNION ALL
    SELECT * FROM (SELECT d.workflow_uuid, d.depth FROM down d LIMIT %(most)s::int) d
)
SELECT s.workflow_uuid AS workflow_id, s.name, s.class_name, s.status, s.parent_workflow_id, m.depth,
       s.created_at, s.started_at_epoch_ms AS dequeued_at, s.completed_at, s.delay_until_epoch_ms
FROM met m CROSS JOIN LATERAL (
    SELECT w.* FROM {schema}.workflow_status w WHERE w.workflow_uuid = m.workflow_uuid OFFSET 0
) s
ORDER BY m.depth, s.created_at, s.workflow_uuid
