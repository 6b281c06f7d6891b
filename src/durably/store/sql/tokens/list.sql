-- The tokens, the newest first; or the one of an id. They are few.
SELECT t.token_id, t.name, t.role, t.sees_payloads, t.created_by,
       (EXTRACT(epoch FROM t.created_at) * 1000)::bigint AS created_at,
       (EXTRACT(epoch FROM t.expires_at) * 1000)::bigint AS expires_at,
       (EXTRACT(epoch FROM t.last_used_at) * 1000)::bigint AS last_used_at,
       t.revoked_at IS NOT NULL AS is_revoked
FROM {extension}.api_tokens t
WHERE %(token_id)s::text IS NULL OR t.token_id = %(token_id)s::text
ORDER BY t.created_at DESC, t.token_id
