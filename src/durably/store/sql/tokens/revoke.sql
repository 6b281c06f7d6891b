-- Revokes a token; whether it had not been. Locks: its row. Index: primary key.
WITH known AS MATERIALIZED (
    SELECT t.token_id, t.revoked_at FROM {extension}.api_tokens t WHERE t.token_id = %(token_id)s::text FOR UPDATE
), revoked AS (
    UPDATE {extension}.api_tokens t SET revoked_at = clock_timestamp()
    WHERE t.token_id = %(token_id)s::text AND t.revoked_at IS NULL
)
SELECT k.revoked_at IS NULL AS is_changed FROM known k
