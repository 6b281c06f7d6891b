-- Records what a transaction came to, in that transaction. No row: somebody else has recorded it meanwhile.
INSERT INTO {schema}.datasource_outputs (workflow_id, step_id, output, error, serialization)
VALUES (%(workflow_id)s, %(step_id)s::int, %(output)s::text, %(error)s::text, %(serialization)s::text)
ON CONFLICT (workflow_id, step_id) DO NOTHING
RETURNING step_id
