-- Ends a session. Locks: its row. Index: primary key.
DELETE FROM {extension}.console_sessions WHERE token_hash = %(token_hash)s::text RETURNING account
