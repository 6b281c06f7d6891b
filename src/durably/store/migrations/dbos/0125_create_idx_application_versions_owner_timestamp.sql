-- The latest version of an application.
-- Outside a transaction, so that writers go on while it is built.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_application_versions_owner_timestamp ON {schema}.application_versions
    (application_name, version_timestamp DESC);
