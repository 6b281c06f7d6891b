-- How many workflows of a queue run, everywhere or on one executor. Index: idx_workflow_status_in_flight_v2.
SELECT count(*) AS workflows
FROM {schema}.workflow_status s
WHERE s.queue_name = %(name)s AND s.status = 'PENDING'
  AND (%(executor_id)s = '' OR s.executor_id = %(executor_id)s)
