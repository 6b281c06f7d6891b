-- The account of a session that is not over, and may still log in. Index: primary keys.
SELECT a.name, a.role, a.sees_payloads, (EXTRACT(epoch FROM a.created_at) * 1000)::bigint AS created_at,
       false AS is_disabled
FROM {extension}.console_accounts a
WHERE a.name = (SELECT s.account FROM {extension}.console_sessions s
                WHERE s.token_hash = %(token_hash)s::text AND s.expires_at > clock_timestamp())
  AND a.disabled_at IS NULL
