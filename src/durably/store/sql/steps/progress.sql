-- What an earlier attempt of a step saved. Index: primary key.
SELECT progress, serialization FROM {extension}.step_progress
WHERE workflow_uuid = %(workflow_id)s AND function_id = %(function_id)s
