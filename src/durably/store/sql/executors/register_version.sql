-- Enters the application's version, or claims a row of that name that nobody owns; one that exists is kept.
INSERT INTO {schema}.application_versions (version_id, version_name, application_name)
VALUES (%(version_id)s, %(app_version)s, %(application_name)s)
ON CONFLICT (version_name) DO UPDATE
    SET application_name = COALESCE(application_versions.application_name, EXCLUDED.application_name)
RETURNING application_name
