-- Workflows that are set aside because they do not fit the code: how many (up to 1,001), and some of them.
-- Index: idx_workflow_status_delayed. Locks: none.
SELECT count(*) AS workflows, (array_agg(d.workflow_uuid))[1:5] AS examples
FROM (SELECT s.workflow_uuid FROM {schema}.workflow_status s
      WHERE s.status = 'DELAYED' AND s.delay_until_epoch_ms = %(until)s::bigint LIMIT 1001) d
