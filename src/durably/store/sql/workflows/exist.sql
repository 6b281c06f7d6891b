-- Which of these workflows there are. Index: primary key.
SELECT s.workflow_uuid AS workflow_id
FROM {schema}.workflow_status s
WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
