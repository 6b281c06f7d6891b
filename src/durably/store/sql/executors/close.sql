-- Ends leases. It commits in one transaction with executors/adopt, which runs behind it: a claim that the
-- executor had under way is then either visible there or fails.
UPDATE {extension}.executors SET stopped_at = clock_timestamp()
WHERE executor_id = ANY (%(executor_ids)s::text[]) AND application_name = %(application_name)s
  AND stopped_at IS NULL
  AND (NOT %(only_expired)s OR expires_at < clock_timestamp())
RETURNING executor_id
