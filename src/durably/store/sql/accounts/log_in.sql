-- Begins a session of an account that may log in, and forgets those that are over. Locks: the rows it writes.
-- Index: primary keys, console_sessions_expiry_index.
WITH over AS (
    DELETE FROM {extension}.console_sessions s WHERE s.expires_at < clock_timestamp()
), begun AS (
    INSERT INTO {extension}.console_sessions (token_hash, account, expires_at)
    SELECT %(token_hash)s::text, a.name, clock_timestamp() + make_interval(secs => %(seconds)s::double precision)
    FROM {extension}.console_accounts a
    WHERE a.name = %(name)s::text AND a.disabled_at IS NULL
    RETURNING account
)
SELECT account FROM begun
