-- What steps have saved goes with their workflows. Index: primary key.
DELETE FROM {extension}.step_progress WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
