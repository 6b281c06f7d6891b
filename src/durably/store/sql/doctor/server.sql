-- What the server says of itself, and this role of itself. From settings and statistics that every role may read.
-- Locks: none.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer AS version_number,
       EXTRACT(epoch FROM clock_timestamp())::double precision AS now,
       current_user::text AS role,
       current_database()::text AS database,
       pg_backend_pid() AS backend_pid,
       pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only') = 'on' AS is_read_only,
       current_setting('fsync') = 'on' AS fsync,
       current_setting('full_page_writes') = 'on' AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('autovacuum') = 'on' AS autovacuum,
       current_setting('track_counts') = 'on' AS track_counts,
       current_setting('max_connections')::integer AS max_connections,
       current_setting('superuser_reserved_connections')::integer AS reserved_connections,
       (SELECT sum(d.numbackends)::integer FROM pg_catalog.pg_stat_database d) AS connections,
       (SELECT d.datconnlimit FROM pg_catalog.pg_database d WHERE d.datname = current_database())
           AS database_connections,
       (SELECT r.rolconnlimit FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS role_connections
