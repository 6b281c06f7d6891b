-- What is noted of stranded workflows, of these ids or of an application, or of all; the oldest first.
-- Index: stranded_workflows_index, primary key.
SELECT workflow_uuid AS workflow_id, function_id, asked, recorded, difference, code, code_changed,
       (EXTRACT(epoch FROM stranded_at) * 1000)::bigint AS stranded_at, released_at IS NOT NULL AS is_released
FROM {extension}.stranded_workflows
WHERE (%(workflow_ids)s::text[] IS NULL OR workflow_uuid = ANY (%(workflow_ids)s::text[]))
  AND (%(application_name)s::text IS NULL OR application_name = %(application_name)s::text)
ORDER BY application_name, stranded_at, workflow_uuid
