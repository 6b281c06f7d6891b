-- Creates a queue or, if asked, changes its limits; the row that is there now, its owner and whether it was changed.
-- Another application's queue stays as it is. As DBOS: `update_if_latest_version` leaves the limits alone when a newer
-- version of the application is registered. Executors that know the old limits hear of the new ones.
WITH latest AS (
    SELECT COALESCE((
        SELECT version_name FROM {schema}.application_versions
        WHERE application_name = %(application_name)s OR application_name IS NULL
        ORDER BY version_timestamp DESC LIMIT 1) = %(app_version)s, true) AS is_latest
), registered AS (
    INSERT INTO {schema}.queues AS q (
        name, concurrency, worker_concurrency, rate_limit_max, rate_limit_period_sec, priority_enabled,
        partition_queue, partition_concurrency, partition_worker_concurrency, partition_rate_limit_max,
        partition_rate_limit_period_sec, polling_interval_sec, application_name)
    VALUES (%(name)s, %(concurrency)s, %(worker_concurrency)s, %(rate_limit_max)s, %(rate_limit_period_sec)s, true,
            %(partitioned)s, %(partition_concurrency)s, %(partition_worker_concurrency)s,
            %(partition_rate_limit_max)s, %(partition_rate_limit_period_sec)s, %(polling_interval_sec)s,
            %(application_name)s)
    ON CONFLICT (name) DO UPDATE
    SET concurrency = EXCLUDED.concurrency, worker_concurrency = EXCLUDED.worker_concurrency,
        rate_limit_max = EXCLUDED.rate_limit_max, rate_limit_period_sec = EXCLUDED.rate_limit_period_sec,
        partition_queue = EXCLUDED.partition_queue, partition_concurrency = EXCLUDED.partition_concurrency,
        partition_worker_concurrency = EXCLUDED.partition_worker_concurrency,
        partition_rate_limit_max = EXCLUDED.partition_rate_limit_max,
        partition_rate_limit_period_sec = EXCLUDED.partition_rate_limit_period_sec,
        polling_interval_sec = EXCLUDED.polling_interval_sec,
        application_name = COALESCE(q.application_name, EXCLUDED.application_name),
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    WHERE (q.application_name IS NULL OR %(application_name)s::text IS NULL
           OR q.application_name = EXCLUDED.application_name)
      AND (%(on_conflict)s = 'always_update'
           OR %(on_conflict)s = 'update_if_latest_version' AND (SELECT is_latest FROM latest))
    RETURNING q.name, q.application_name
)
SELECT r.name, r.application_name, true AS is_written,
       CASE WHEN octet_length(r.name) < 7900 THEN pg_notify('durably', 'k::' || r.name) END
FROM registered r
UNION ALL
SELECT q.name, q.application_name, false, NULL
FROM {schema}.queues q
WHERE q.name = %(name)s AND (SELECT count(*) FROM registered) = 0
