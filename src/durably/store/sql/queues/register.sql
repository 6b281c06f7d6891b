-- Creates a queue or changes its limits and returns its owner; another application's queue stays as it is.
INSERT INTO {schema}.queues AS q (
    name, concurrency, worker_concurrency, rate_limit_max, rate_limit_period_sec, priority_enabled,
    polling_interval_sec, application_name)
VALUES (%(name)s, %(concurrency)s, %(worker_concurrency)s, %(rate_limit_max)s, %(rate_limit_period_sec)s, true,
        %(polling_interval_sec)s, %(application_name)s)
ON CONFLICT (name) DO UPDATE
SET concurrency = EXCLUDED.concurrency, worker_concurrency = EXCLUDED.worker_concurrency,
    rate_limit_max = EXCLUDED.rate_limit_max, rate_limit_period_sec = EXCLUDED.rate_limit_period_sec,
    application_name = COALESCE(q.application_name, EXCLUDED.application_name),
    updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
WHERE q.application_name IS NULL OR q.application_name = EXCLUDED.application_name
RETURNING application_name
