-- Who may do what at the console and its HTTP API, and what they did. No foreign keys to DBOS's tables.
-- Locks: only what it creates.

-- People. The password is a hash with the parameters and the salt that made it; nobody can read it back.
CREATE TABLE IF NOT EXISTS {extension}.console_accounts (
    name text PRIMARY KEY,
    password text NOT NULL,                         -- scrypt:<n>:<r>:<p>:<salt>:<hash>, the last two in hex
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    sees_payloads boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz                         -- NULL: may log in
);

-- Where people are logged in. The token itself is only in their browser.
CREATE TABLE IF NOT EXISTS {extension}.console_sessions (
    token_hash text PRIMARY KEY,                    -- SHA-256 in hex
    account text NOT NULL REFERENCES {extension}.console_accounts (name) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS console_sessions_account_index ON {extension}.console_sessions (account);
CREATE INDEX IF NOT EXISTS console_sessions_expiry_index ON {extension}.console_sessions (expires_at);

-- Programs that call the HTTP API. The secret itself is only with them.
CREATE TABLE IF NOT EXISTS {extension}.api_tokens (
    token_id text PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,                -- SHA-256 in hex
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    sees_payloads boolean NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,                         -- NULL: never
    last_used_at timestamptz,                       -- to the minute
    revoked_at timestamptz
);

-- What was done, by whom. A row is written before (began) and completed after (done, failed).
CREATE TABLE IF NOT EXISTS {extension}.audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    who text NOT NULL,
    verb text NOT NULL,
    kind text NOT NULL,                             -- of the targets: workflow, queue, schedule, ...
    targets text[] NOT NULL,
    detail jsonb NOT NULL DEFAULT jsonb_build_object(),
    outcome text NOT NULL DEFAULT 'began' CHECK (outcome IN ('began', 'done', 'failed')),
    did text,                                       -- what came of it, in words
    source text NOT NULL CHECK (source IN ('console', 'api', 'cli'))
);
CREATE INDEX IF NOT EXISTS audit_who_index ON {extension}.audit (who, audit_id);
CREATE INDEX IF NOT EXISTS audit_targets_index ON {extension}.audit USING gin (targets);
