-- Other attributes for a workflow, in whatever status: in place of those that it has, or merged into them.
-- Index: primary key. No row: there is no such workflow.
UPDATE {schema}.workflow_status s
SET attributes = CASE WHEN %(merge)s::boolean AND jsonb_typeof(s.attributes) = 'object'
                      THEN s.attributes || %(attributes)s::jsonb ELSE %(attributes)s::jsonb END,
    updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
WHERE s.workflow_uuid = %(workflow_id)s::text
RETURNING s.workflow_uuid AS workflow_id
