-- Who owns a workflow now. Index: the primary key.
SELECT owner_xid AS owner FROM {schema}.workflow_status WHERE workflow_uuid = %(workflow_id)s
