-- The last migration of the extension schema that is done. Locks: none.
SELECT max(version) FROM {extension}.migrations
