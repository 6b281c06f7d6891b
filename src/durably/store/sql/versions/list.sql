-- The versions that applications have registered, the latest first. The table is small.
SELECT version_id, version_name, version_timestamp, created_at, application_name
FROM {schema}.application_versions
WHERE %(application_name)s::text IS NULL OR application_name = %(application_name)s::text OR application_name IS NULL
ORDER BY version_timestamp DESC, version_name
