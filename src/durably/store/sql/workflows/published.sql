-- The workflows that applications have. They are few: the table is read as a whole.
SELECT w.name, NULLIF(w.class_name, '') AS class_name, w.application_name, w.parameters
FROM {extension}.registered_workflows w
ORDER BY w.name, w.class_name, w.registered_at DESC
