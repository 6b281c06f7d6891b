-- Ids that begin with a text, the first of them; also the id itself. Exact where the database sorts by bytes; elsewhere ids
-- of another case or with other signs may come between. Index: primary key, `most` entries from there on.
SELECT s.workflow_uuid AS workflow_id, s.created_at AS at
FROM (
    SELECT s.workflow_uuid, s.created_at, s.application_name
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid >= %(prefix)s::text
    ORDER BY s.workflow_uuid
    LIMIT %(most)s::bigint
) s
WHERE starts_with(s.workflow_uuid, %(prefix)s::text)
  AND (%(scope)s::text IS NULL OR s.application_name = %(scope)s::text OR s.application_name IS NULL)
LIMIT %(limit)s::bigint
