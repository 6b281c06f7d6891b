-- Notes how it ended. Locks: its row. Index: primary key.
UPDATE {extension}.audit SET outcome = %(outcome)s, did = %(did)s::text, ended_at = clock_timestamp()
WHERE audit_id = %(audit_id)s::bigint
