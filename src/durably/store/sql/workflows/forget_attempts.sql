-- How often workflows have failed goes with them. Index: primary key.
DELETE FROM {extension}.workflow_attempts WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
