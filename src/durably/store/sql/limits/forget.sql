-- How often workflows may be attempted goes with them. Index: primary key.
DELETE FROM {extension}.workflow_limits WHERE workflow_uuid = ANY (%(workflow_ids)s::text[])
