-- How many workflows a filter has, up to a bound: the conditions of workflows/list.
WITH found AS (
    SELECT
    FROM {schema}.workflow_status s
    WHERE (%(workflow_ids)s::text[] IS NULL OR s.workflow_uuid = ANY (%(workflow_ids)s::text[]))
      AND (%(workflow_id_prefix)s::text IS NULL OR starts_with(s.workflow_uuid, %(workflow_id_prefix)s::text))
      AND (%(status)s::text[] IS NULL OR s.status = ANY (%(status)s::text[]))
      AND (%(name)s::text[] IS NULL OR s.name = ANY (%(name)s::text[]))
      AND (%(queue_name)s::text[] IS NULL OR s.queue_name = ANY (%(queue_name)s::text[]))
      AND (NOT %(queues_only)s::boolean
           OR (s.queue_name IS NOT NULL AND s.status IN ('ENQUEUED', 'DELAYED', 'PENDING')))
      AND (%(app_version)s::text[] IS NULL OR s.application_version = ANY (%(app_version)s::text[]))
      AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
      AND (%(executor_id)s::text[] IS NULL OR s.executor_id = ANY (%(executor_id)s::text[]))
      AND (%(authenticated_user)s::text[] IS NULL OR s.authenticated_user = ANY (%(authenticated_user)s::text[]))
      AND (%(parent_workflow_id)s::text[] IS NULL OR s.parent_workflow_id = ANY (%(parent_workflow_id)s::text[]))
      AND (%(has_parent)s::boolean IS NULL OR (s.parent_workflow_id IS NOT NULL) = %(has_parent)s::boolean)
      AND (%(forked_from)s::text[] IS NULL OR s.forked_from = ANY (%(forked_from)s::text[]))
      AND (%(is_fork)s::boolean IS NULL OR (s.forked_from IS NOT NULL) = %(is_fork)s::boolean)
      AND (%(was_forked_from)s::boolean IS NULL OR s.was_forked_from = %(was_forked_from)s::boolean)
      AND (%(schedule_name)s::text[] IS NULL OR s.schedule_name = ANY (%(schedule_name)s::text[]))
      AND (%(is_paused)s::boolean IS NULL OR %(is_paused)s::boolean = (
               s.status = 'DELAYED' AND s.delay_until_epoch_ms IS NOT DISTINCT FROM %(paused_until)s::bigint))
      AND (%(attributes)s::jsonb IS NULL OR s.attributes @> %(attributes)s::jsonb)
      AND (%(start_time)s::bigint IS NULL OR s.created_at >= %(start_time)s::bigint)
      AND (%(end_time)s::bigint IS NULL OR s.created_at <= %(end_time)s::bigint)
      AND (%(completed_after)s::bigint IS NULL OR s.completed_at >= %(completed_after)s::bigint)
      AND (%(completed_before)s::bigint IS NULL OR s.completed_at <= %(completed_before)s::bigint)
      AND (%(dequeued_after)s::bigint IS NULL OR s.started_at_epoch_ms >= %(dequeued_after)s::bigint)
      AND (%(dequeued_before)s::bigint IS NULL OR s.started_at_epoch_ms <= %(dequeued_before)s::bigint)
    LIMIT %(count_to)s::bigint
)
SELECT count(*) AS workflows FROM found
