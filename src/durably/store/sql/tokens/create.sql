-- Creates a token of the HTTP API. Locks: the new row.
INSERT INTO {extension}.api_tokens (token_id, token_hash, name, role, sees_payloads, created_by, expires_at)
VALUES (%(token_id)s, %(token_hash)s, %(name)s, %(role)s, %(sees_payloads)s::boolean,
        COALESCE(%(created_by)s::text, session_user),
        clock_timestamp() + make_interval(secs => %(seconds)s::double precision))
RETURNING token_id
