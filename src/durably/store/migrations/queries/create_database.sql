-- A database with the server's defaults; outside a transaction. Locks: the template, shared.
CREATE DATABASE {database}
