-- Makes a version the latest of its application: its timestamp is now, and later than any that it competes with.
-- Index: the unique one of version_name. No row: nobody has registered it.
UPDATE {schema}.application_versions v
SET version_timestamp = GREATEST(
    (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint,
    (SELECT max(o.version_timestamp) + 1 FROM {schema}.application_versions o
     WHERE o.version_name <> v.version_name
       AND (v.application_name IS NULL OR o.application_name IS NULL OR o.application_name = v.application_name)))
WHERE v.version_name = %(version_name)s::text
RETURNING version_id, version_name, version_timestamp, created_at, application_name
