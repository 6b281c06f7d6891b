-- Forgets the transactions of workflows that have ended, whose operations are recorded in the system database.
DELETE FROM {schema}.datasource_outputs
WHERE workflow_id IN (SELECT jsonb_array_elements_text(%(workflow_ids)s::jsonb))
  AND step_id >= %(start_step)s::int
