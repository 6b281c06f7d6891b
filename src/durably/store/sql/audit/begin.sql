-- Notes that somebody begins something. Locks: the new row.
INSERT INTO {extension}.audit (who, verb, kind, targets, detail, source)
VALUES (%(who)s, %(verb)s, %(kind)s, %(targets)s::text[], %(detail)s::text::jsonb, %(source)s)
RETURNING audit_id
