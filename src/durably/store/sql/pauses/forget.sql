-- What is noted of paused workflows goes with them. Index: primary key.
DELETE FROM {extension}.paused_workflows WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
