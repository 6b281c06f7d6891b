-- Enqueues one workflow: what workflows/create does for many, and for runs, in a third of the server's time.
-- An id that exists is left as it is and returned; `creator_xid` tells whose it is. Raises 23505 on
-- uq_workflow_status_dedup_id. The notice wakes the workers of the queue at commit. No row: the queue is
-- partitioned, and without a key nobody would ever take the workflow. Index: queues' unique name.
WITH met AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, config_name, queue_name, serialization,
        application_version, application_name, authenticated_user, assumed_role, authenticated_roles, priority,
        deduplication_id, queue_partition_key, delay_until_epoch_ms, workflow_timeout_ms, attributes,
        recovery_attempts, creator_xid)
    SELECT
        %(workflow_id)s, CASE WHEN %(delay_seconds)s::float8 IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END,
        %(name)s, %(class_name)s, %(config_name)s, %(queue_name)s, %(serialization)s,
        %(app_version)s, %(application_name)s, %(authenticated_user)s, %(assumed_role)s,
        %(authenticated_roles)s, %(priority)s::int, %(deduplication_id)s, %(queue_partition_key)s,
        (EXTRACT(epoch FROM now()) * 1000)::bigint + (%(delay_seconds)s::float8 * 1000)::bigint,
        %(timeout_ms)s::bigint, %(attributes)s::jsonb, 0, %(creator)s
    WHERE %(queue_partition_key)s::text IS NOT NULL OR (
        SELECT COALESCE(q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max)
        FROM {schema}.queues q WHERE q.name = %(queue_name)s) IS NULL
    ON CONFLICT (workflow_uuid) DO UPDATE SET creator_xid = workflow_status.creator_xid
    RETURNING workflow_uuid AS workflow_id, creator_xid AS creator, status, name, class_name, config_name,
              queue_name, workflow_deadline_epoch_ms AS deadline_ms
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT workflow_id, %(inputs)s FROM met WHERE creator = %(creator)s
    ON CONFLICT (workflow_uuid) DO NOTHING
)
SELECT met.*, false AS is_keyless, CASE WHEN status = 'ENQUEUED' AND creator = %(creator)s AND octet_length(queue_name) < 7900
              THEN pg_notify('durably', 'q::' || queue_name) END AS told
FROM met
