-- Removes an index without making anybody wait; outside a transaction. Locks: SHARE UPDATE EXCLUSIVE.
DROP INDEX CONCURRENTLY IF EXISTS {schema}.{index}
