-- The lock under which executors of ours count a limited queue's running workflows: its own row.
SELECT name FROM {schema}.queues WHERE name = %(queue_name)s FOR UPDATE
