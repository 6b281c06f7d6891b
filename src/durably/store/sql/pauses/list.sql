-- What is noted of workflows when they were paused. Index: primary key.
SELECT workflow_uuid AS workflow_id, paused_by, reason, (EXTRACT(epoch FROM paused_at) * 1000)::bigint AS paused_at
FROM {extension}.paused_workflows
WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
