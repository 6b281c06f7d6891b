-- Notes who paused a queue just now, in this transaction. Index: the primary key of queue_controls.
UPDATE {extension}.queue_controls SET paused_by = COALESCE(%(paused_by)s::text, session_user)
WHERE queue_name = %(name)s AND executor_id = %(executor_id)s
