-- Enters the workflows that an application has, and forgets those that this version of it had and has no more.
-- What is there already is left as it is. Index: the primary key.
WITH given AS MATERIALIZED (
    SELECT r.* FROM json_to_recordset(%(records)s::json) AS r(name text, class_name text, parameters text)
), forgotten AS (
    DELETE FROM {extension}.registered_workflows w
    WHERE w.application_name = %(application_name)s AND w.application_version = %(app_version)s
      AND NOT EXISTS (SELECT FROM given g WHERE g.name = w.name AND g.class_name = w.class_name)
)
INSERT INTO {extension}.registered_workflows AS w
    (application_name, name, class_name, application_version, parameters)
SELECT %(application_name)s, g.name, g.class_name, %(app_version)s, g.parameters FROM given g
ON CONFLICT (application_name, name, class_name) DO UPDATE
SET application_version = EXCLUDED.application_version, parameters = EXCLUDED.parameters,
    registered_at = clock_timestamp()
WHERE (w.application_version, w.parameters) IS DISTINCT FROM (EXCLUDED.application_version, EXCLUDED.parameters)
RETURNING w.name
