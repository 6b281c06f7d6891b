-- What workflows an application has, and what they take: for forms that start one. Written by its processes when they
-- start, by the latest last. No foreign keys. Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.registered_workflows (
    application_name text NOT NULL,
    name text NOT NULL,
    class_name text NOT NULL,                       -- '' for none
    application_version text NOT NULL,
    parameters text NOT NULL,                       -- JSON: each parameter with its JSON schema
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (application_name, name, class_name)
);
