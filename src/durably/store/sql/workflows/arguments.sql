-- The arguments of workflows, as they are stored. Index: primary keys.
SELECT s.workflow_uuid AS workflow_id, s.serialization,
       COALESCE((SELECT i.inputs FROM {schema}.workflow_input i WHERE i.workflow_uuid = s.workflow_uuid),
                s.inputs) AS inputs
FROM {schema}.workflow_status s
WHERE s.workflow_uuid = ANY (ARRAY(SELECT json_array_elements_text(%(workflow_ids)s::json)))
