-- A page of the workflows of a filter by creation, where an index finds at most `most` of them; `found` says how many it
-- found. Index: that of the parent, the origin, the schedule, the attributes, the id, or the status, each with a branch
-- of its own where its condition must be literal.
WITH found AS MATERIALIZED (
    (SELECT s.* FROM {schema}.workflow_status s
     WHERE %(by)s::text = 'column'
       AND (%(workflow_ids)s::text[] IS NULL OR s.workflow_uuid = ANY (%(workflow_ids)s::text[]))
       AND (%(parent_workflow_id)s::text[] IS NULL OR s.parent_workflow_id = ANY (%(parent_workflow_id)s::text[]))
       AND (%(forked_from)s::text[] IS NULL OR s.forked_from = ANY (%(forked_from)s::text[]))
       AND (%(schedule_name)s::text[] IS NULL OR s.schedule_name = ANY (%(schedule_name)s::text[]))
       AND (%(attributes)s::jsonb IS NULL OR s.attributes @> %(attributes)s::jsonb)
     LIMIT %(most)s::bigint + 1)
    UNION ALL
    (SELECT s.* FROM {schema}.workflow_status s
     WHERE %(by)s::text = 'status' AND s.status = ANY (%(status)s::text[]) AND s.status IN ('ENQUEUED', 'PENDING')
       AND (%(queue_name)s::text[] IS NULL OR s.queue_name = ANY (%(queue_name)s::text[]))
     LIMIT %(most)s::bigint + 1)
    UNION ALL
    (SELECT s.* FROM {schema}.workflow_status s
     WHERE %(by)s::text = 'status' AND 'DELAYED' = ANY (%(status)s::text[]) AND s.status = 'DELAYED'
       AND (%(is_paused)s::boolean IS NOT TRUE OR s.delay_until_epoch_ms = %(paused_until)s::bigint)
     LIMIT %(most)s::bigint + 1)
    UNION ALL
    (SELECT s.* FROM {schema}.workflow_status s
     WHERE %(by)s::text = 'status' AND s.status = ANY (%(status)s::text[])
       AND s.status IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
     LIMIT %(most)s::bigint + 1)
), page AS (
    SELECT s.workflow_uuid AS workflow_id, s.created_at AS at
    FROM found s
    WHERE {conditions}
      AND (%(text)s::text IS NULL
           OR strpos(lower(s.workflow_uuid COLLATE "C"), %(text)s::text) > 0
           OR strpos(lower(s.name COLLATE "C"), %(text)s::text) > 0
           OR strpos(lower(s.attributes::text COLLATE "C"), %(text)s::text) > 0)
      AND (%(cursor_at)s::bigint IS NULL
             OR (%(descending)s::boolean AND s.created_at <= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) < (%(cursor_at)s::bigint, %(cursor_id)s::text))
             OR (NOT %(descending)s::boolean AND s.created_at >= %(cursor_at)s::bigint
                 AND (s.created_at, s.workflow_uuid) > (%(cursor_at)s::bigint, %(cursor_id)s::text)))
    ORDER BY CASE WHEN %(descending)s::boolean THEN s.created_at END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.created_at END ASC,
             CASE WHEN %(descending)s::boolean THEN s.workflow_uuid END DESC,
             CASE WHEN NOT %(descending)s::boolean THEN s.workflow_uuid END ASC
    LIMIT %(limit)s::bigint
)
SELECT counted.found, p.workflow_id, p.at
FROM (SELECT count(*) AS found FROM found) counted LEFT JOIN page p ON true
ORDER BY CASE WHEN %(descending)s::boolean THEN p.at END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN p.at END ASC,
         CASE WHEN %(descending)s::boolean THEN p.workflow_id END DESC,
         CASE WHEN NOT %(descending)s::boolean THEN p.workflow_id END ASC
