-- What is noted of stranded workflows goes with them. Index: primary key.
DELETE FROM {extension}.stranded_workflows WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
