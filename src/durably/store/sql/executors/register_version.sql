-- Enters the application's version, or claims a row of that name that nobody owns; one that exists is kept. No row:
-- another process entered or claimed it during this statement, which does not see that: ask again.
-- ON CONFLICT names no index: the name is unique, and so is its pair with the application, and a competitor's row
-- may be met in either. With one of them named the other would be an error.
WITH entered AS (
    INSERT INTO {schema}.application_versions (version_id, version_name, application_name)
    VALUES (%(version_id)s, %(app_version)s, %(application_name)s)
    ON CONFLICT DO NOTHING
    RETURNING application_name
), claimed AS (
    UPDATE {schema}.application_versions SET application_name = %(application_name)s
    WHERE version_name = %(app_version)s AND application_name IS NULL
    RETURNING application_name
)
SELECT application_name FROM entered
UNION ALL
SELECT application_name FROM claimed
UNION ALL
SELECT application_name FROM {schema}.application_versions
WHERE version_name = %(app_version)s AND application_name IS NOT NULL
