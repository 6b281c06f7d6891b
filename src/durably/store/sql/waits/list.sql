-- What a workflow that runs waits for. Index: waits_workflow_index, the primary key.
SELECT w.kind, w.id, w.key, w.until_epoch_ms AS until_ms, (EXTRACT(epoch FROM w.since) * 1000)::bigint AS since_ms
FROM {extension}.waits w, LATERAL (
    SELECT s.status, s.owner_xid FROM {schema}.workflow_status s WHERE s.workflow_uuid = w.workflow_uuid OFFSET 0
) s
WHERE w.workflow_uuid = %(workflow_id)s AND s.status = 'PENDING' AND s.owner_xid = w.owner_xid
ORDER BY w.since, w.place, w.nth LIMIT 20
