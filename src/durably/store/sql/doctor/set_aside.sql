-- Workflows that were set aside after too many recoveries: how many (up to 1,001), and some of them.
-- Index: idx_workflow_status_failed. Locks: none.
SELECT count(*) AS workflows, (array_agg(d.workflow_uuid))[1:5] AS examples
FROM (SELECT s.workflow_uuid FROM {schema}.workflow_status s
      WHERE s.status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED' ORDER BY s.created_at DESC LIMIT 1001) d
