-- The notice that has to come.
SELECT pg_notify('durably_doctor', %(payload)s::text) AS told
