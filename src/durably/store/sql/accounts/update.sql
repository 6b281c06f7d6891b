-- Changes what is not NULL of an account; another password, or disabling it, logs it out everywhere.
-- Locks: the account's row, then its sessions. Index: primary key, console_sessions_account_index.
WITH changed AS (
    UPDATE {extension}.console_accounts a
    SET password = COALESCE(%(password)s::text, a.password),
        role = COALESCE(%(role)s::text, a.role),
        sees_payloads = COALESCE(%(sees_payloads)s::boolean, a.sees_payloads),
        disabled_at = CASE WHEN %(disabled)s::boolean THEN COALESCE(a.disabled_at, clock_timestamp())
                           WHEN NOT %(disabled)s::boolean THEN NULL
                           ELSE a.disabled_at END
    WHERE a.name = %(name)s::text
    RETURNING a.name
), logged_out AS (
    DELETE FROM {extension}.console_sessions s
    WHERE s.account = %(name)s::text AND (%(password)s::text IS NOT NULL OR %(disabled)s::boolean)
)
SELECT name FROM changed
