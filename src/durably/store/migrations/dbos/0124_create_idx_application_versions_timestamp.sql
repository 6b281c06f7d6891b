-- The latest version.
-- Outside a transaction, so that writers go on while it is built.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_application_versions_timestamp ON {schema}.application_versions
    (version_timestamp DESC);
