-- Deletes workflows that workflows/lock has locked, and their payloads and records, which have no foreign key; messages,
-- events and streams go with them. The notices stop runs that are under way, by their owner token.
-- Index: primary keys. Returns those that are gone.
WITH inputs_gone AS (
    DELETE FROM {schema}.workflow_input i WHERE i.workflow_uuid = ANY (%(workflow_ids)s::text[])
), outputs_gone AS (
    DELETE FROM {schema}.workflow_output o WHERE o.workflow_uuid = ANY (%(workflow_ids)s::text[])
), operations_gone AS (
    DELETE FROM {schema}.operation_outputs p WHERE p.workflow_uuid = ANY (%(workflow_ids)s::text[])
), gone AS (
    DELETE FROM {schema}.workflow_status s WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
    RETURNING s.workflow_uuid, s.owner_xid
), told AS (
    SELECT count(pg_notify('durably', 'c::' || workflow_uuid || '::' || owner_xid)) AS notices
    FROM gone WHERE owner_xid IS NOT NULL AND octet_length(workflow_uuid) < 7900
)
SELECT gone.workflow_uuid AS workflow_id FROM told, gone ORDER BY gone.workflow_uuid
