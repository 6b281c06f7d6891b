-- Where the extension schema keeps which of its migrations are done. Locks: only what it creates.
CREATE TABLE IF NOT EXISTS {extension}.migrations (
    version integer NOT NULL,
    applied_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (version)
)
