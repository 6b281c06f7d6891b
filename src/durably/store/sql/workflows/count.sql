-- How many workflows a filter has, up to a bound: the conditions of workflows/list.
WITH found AS (
    SELECT
    FROM {schema}.workflow_status s
    WHERE {conditions}
    LIMIT %(count_to)s::bigint
)
SELECT count(*) AS workflows FROM found
