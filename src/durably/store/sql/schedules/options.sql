-- How schedules are kept, and what is wrong with them. Index: the primary keys.
SELECT COALESCE(o.schedule_id, n.schedule_id) AS schedule_id, COALESCE(o.catch_up_seconds, 0) AS catch_up,
       COALESCE(o.jitter_seconds, 0) AS jitter, COALESCE(o.overlap, 'allow') AS overlap, n.note AS problem
FROM {extension}.schedule_options o
FULL JOIN {extension}.schedule_notes n ON n.schedule_id = o.schedule_id
WHERE COALESCE(o.schedule_id, n.schedule_id) = ANY (%(schedule_ids)s::text[])
