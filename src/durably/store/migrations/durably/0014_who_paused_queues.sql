-- Who paused a queue: as told, otherwise the role of the database; NULL for pauses from before this.
-- Locks: only its own table, for an instant.
ALTER TABLE {extension}.queue_controls ADD COLUMN IF NOT EXISTS paused_by text;
