-- Token of the creating attempt: tells "I created it" from "it was there".
-- Locks: ACCESS EXCLUSIVE on the table, for a moment (no rewrite).
ALTER TABLE {schema}.workflow_status ADD COLUMN IF NOT EXISTS creator_xid text;
