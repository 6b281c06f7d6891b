-- Whether workers of the version run that an enqueued workflow waits for: its own, else its application's latest.
-- Only workers of durably have leases; of a version that never had one nothing can be said. The tables are small.
SELECT v.name AS version_name,
       EXISTS (SELECT FROM {schema}.application_versions a WHERE a.version_name = v.name) AS is_registered,
       EXISTS (SELECT FROM {extension}.executors e WHERE e.application_version = v.name) AS is_ours,
       EXISTS (SELECT FROM {extension}.executors e WHERE e.application_version = v.name AND e.stopped_at IS NULL
               AND e.expires_at > clock_timestamp()) AS is_served
FROM (SELECT COALESCE(%(app_version)s::text, (
          SELECT version_name FROM {schema}.application_versions
          WHERE application_name = %(application_name)s::text OR application_name IS NULL
          ORDER BY version_timestamp DESC LIMIT 1)) AS name) v
WHERE v.name IS NOT NULL
