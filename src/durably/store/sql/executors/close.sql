-- Ends leases, and what their executors told of waits. It commits in one transaction with executors/adopt, which runs
-- behind it: a claim that the executor had under way is then either visible there or fails.
WITH closed AS (
    UPDATE {extension}.executors SET stopped_at = clock_timestamp()
    WHERE executor_id = ANY (%(executor_ids)s::text[]) AND application_name = %(application_name)s
      AND stopped_at IS NULL
      AND (NOT %(only_expired)s OR expires_at < clock_timestamp())
    RETURNING executor_id
), forgotten AS (
    DELETE FROM {extension}.waits WHERE executor_id = ANY (ARRAY(SELECT executor_id FROM closed))
)
SELECT executor_id FROM closed
