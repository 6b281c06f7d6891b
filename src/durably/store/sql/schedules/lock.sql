-- Lets executors decide about a schedule one after the other; schedules/fire, in this transaction, then sees what the
-- others have decided. Locks: the schedules' rows, in the order of their ids.
SELECT s.schedule_id FROM {schema}.workflow_schedules s
WHERE s.schedule_id = ANY (%(schedule_ids)s::text[])
ORDER BY s.schedule_id FOR NO KEY UPDATE OF s
