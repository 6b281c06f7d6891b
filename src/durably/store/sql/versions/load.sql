-- What has not ended, by version and status: of the first `most` workflows of each status. NULL is no version.
-- Index: idx_workflow_status_in_flight_v2, idx_workflow_status_delayed, idx_workflow_status_pending, up to the limits.
WITH alive AS (
    (SELECT s.status, s.application_version AS app_version FROM {schema}.workflow_status s
     WHERE s.status = 'ENQUEUED' AND s.queue_name > ''
     ORDER BY s.queue_name, s.priority, s.created_at LIMIT %(most)s)
    UNION ALL
    (SELECT s.status, s.application_version FROM {schema}.workflow_status s
     WHERE s.status = 'DELAYED' ORDER BY s.delay_until_epoch_ms LIMIT %(most)s)
    UNION ALL
    (SELECT s.status, s.application_version FROM {schema}.workflow_status s
     WHERE s.status = 'PENDING' ORDER BY s.created_at LIMIT %(most)s)
)
SELECT a.app_version, count(*) FILTER (WHERE a.status = 'ENQUEUED') AS enqueued,
       count(*) FILTER (WHERE a.status = 'DELAYED') AS delayed,
       count(*) FILTER (WHERE a.status = 'PENDING') AS running
FROM alive a
GROUP BY a.app_version
ORDER BY a.app_version NULLS FIRST
