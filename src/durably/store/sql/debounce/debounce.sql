-- One call of a debounced workflow: the delayed one of this key gets the new inputs and a later time, up to its deadline;
-- or, where nobody holds the key, a new one is created. Otherwise the holder says what is the matter: what lost its delay
-- just now lets the key go, so the caller asks again. Raises 23505 on uq_workflow_status_dedup_id: another caller was
-- first, ask again. Every instant is the database's. No holder and nothing made: the id exists, or the queue is partitioned.
-- Locks: the bounced row. Index: uq_workflow_status_dedup_id, primary keys.
WITH clock AS MATERIALIZED (
    SELECT (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
), holder AS MATERIALIZED (
    SELECT s.workflow_uuid, s.name, s.is_debounced, s.application_name
    FROM {schema}.workflow_status s
    WHERE s.queue_name = %(queue_name)s AND s.deduplication_id = %(deduplication_id)s
), bounced AS (
    UPDATE {schema}.workflow_status s
    SET delay_until_epoch_ms = LEAST(now_ms + %(period_ms)s::bigint, s.debounce_deadline_epoch_ms),
        serialization = %(serialization)s, updated_at = now_ms,
        application_name = COALESCE(s.application_name, %(application_name)s)
    FROM clock
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM holder)) AND (s.status = 'DELAYED') IS TRUE
      AND s.is_debounced AND s.name = %(name)s AND s.deduplication_id = %(deduplication_id)s
      AND (s.application_name IS NULL OR s.application_name = %(application_name)s)
    RETURNING s.workflow_uuid
), replaced AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT workflow_uuid, %(inputs)s FROM bounced
    ON CONFLICT (workflow_uuid) DO UPDATE SET inputs = EXCLUDED.inputs
), met AS (
    SELECT s.workflow_uuid, s.name FROM {schema}.workflow_status s WHERE s.workflow_uuid = %(workflow_id)s
), made AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, config_name, queue_name, serialization, application_version,
        application_name, authenticated_user, assumed_role, authenticated_roles, priority, deduplication_id,
        delay_until_epoch_ms, debounce_deadline_epoch_ms, is_debounced, workflow_timeout_ms, attributes,
        parent_workflow_id, recovery_attempts)
    SELECT %(workflow_id)s, 'DELAYED', %(name)s, %(class_name)s, %(config_name)s, %(queue_name)s, %(serialization)s,
           %(app_version)s, %(application_name)s, %(authenticated_user)s, %(assumed_role)s, %(authenticated_roles)s, 0,
           %(deduplication_id)s, now_ms + LEAST(%(period_ms)s::bigint, %(deadline_ms)s::bigint),
           now_ms + %(deadline_ms)s::bigint, true, %(timeout_ms)s::bigint, %(attributes)s::jsonb,
           %(parent_workflow_id)s, 0
    FROM clock
    WHERE NOT EXISTS (SELECT FROM holder) AND (
        SELECT COALESCE(q.partition_concurrency, q.partition_worker_concurrency, q.partition_rate_limit_max)
        FROM {schema}.queues q WHERE q.name = %(queue_name)s) IS NULL
    ON CONFLICT (workflow_uuid) DO NOTHING
    RETURNING workflow_uuid
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT workflow_uuid, %(inputs)s FROM made
    ON CONFLICT (workflow_uuid) DO NOTHING
)
SELECT (SELECT workflow_uuid FROM bounced) AS bounced, (SELECT workflow_uuid FROM made) AS made,
       h.workflow_uuid AS holder_id, h.name AS holder_name, h.is_debounced AS holder_is_debounced,
       h.application_name AS holder_application, met.workflow_uuid AS met_id, met.name AS met_name
FROM (SELECT 1) one LEFT JOIN holder h ON true LEFT JOIN met ON true
