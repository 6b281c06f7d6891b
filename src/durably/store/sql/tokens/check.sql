-- The token of a hash, if it is neither over nor revoked; its use is noted, at most once a minute.
-- Locks: its row, where the use is noted. Index: api_tokens_token_hash_key.
WITH used AS (
    UPDATE {extension}.api_tokens t SET last_used_at = clock_timestamp()
    WHERE t.token_hash = %(token_hash)s::text AND t.revoked_at IS NULL
      AND (t.last_used_at IS NULL OR t.last_used_at < clock_timestamp() - interval '1 minute')
)
SELECT t.token_id, t.name, t.role, t.sees_payloads, t.created_by,
       (EXTRACT(epoch FROM t.created_at) * 1000)::bigint AS created_at,
       (EXTRACT(epoch FROM t.expires_at) * 1000)::bigint AS expires_at,
       (EXTRACT(epoch FROM t.last_used_at) * 1000)::bigint AS last_used_at,
       false AS is_revoked
FROM {extension}.api_tokens t
WHERE t.token_hash = %(token_hash)s::text AND t.revoked_at IS NULL
  AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
