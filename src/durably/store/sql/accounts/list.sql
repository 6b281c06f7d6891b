-- The accounts, by name; or the one of a name. They are few.
SELECT a.name, a.role, a.sees_payloads, (EXTRACT(epoch FROM a.created_at) * 1000)::bigint AS created_at,
       a.disabled_at IS NOT NULL AS is_disabled, a.password
FROM {extension}.console_accounts a
WHERE %(name)s::text IS NULL OR a.name = %(name)s::text
ORDER BY a.name
