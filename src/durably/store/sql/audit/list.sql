-- What was done, the newest first, a page of it. To be planned for its very values.
-- Index: primary key, backwards; audit_who_index; audit_targets_index.
SELECT a.audit_id, (EXTRACT(epoch FROM a.at) * 1000)::bigint AS at,
       (EXTRACT(epoch FROM a.ended_at) * 1000)::bigint AS ended_at,
       a.who, a.verb, a.kind, a.targets, a.detail::text AS detail, a.outcome, a.did, a.source
FROM {extension}.audit a
WHERE (%(before)s::bigint IS NULL OR a.audit_id < %(before)s::bigint)
  AND (%(after)s::bigint IS NULL OR a.audit_id > %(after)s::bigint)
  AND (%(who)s::text IS NULL OR a.who = %(who)s::text)
  AND (%(verb)s::text IS NULL OR a.verb = %(verb)s::text)
  AND (%(kind)s::text IS NULL OR a.kind = %(kind)s::text)
  AND (%(target)s::text IS NULL OR a.targets @> ARRAY[%(target)s::text])
  AND (%(outcome)s::text IS NULL OR a.outcome = %(outcome)s::text)
  AND (%(source)s::text IS NULL OR a.source = %(source)s::text)
  AND (%(since)s::bigint IS NULL OR a.at >= to_timestamp(%(since)s::bigint / 1000.0))
  AND (%(until)s::bigint IS NULL OR a.at <= to_timestamp(%(until)s::bigint / 1000.0))
ORDER BY a.audit_id DESC
LIMIT %(limit)s::bigint
