-- An application has a version once.
-- Locks: SHARE on the table, a small one, while it is built.
CREATE UNIQUE INDEX IF NOT EXISTS uq_application_versions_owner_version ON {schema}.application_versions
    (application_name, version_name) WHERE application_name IS NOT NULL;
