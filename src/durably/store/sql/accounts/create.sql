-- Creates an account; no row where the name is taken. Locks: the new row. Index: primary key.
INSERT INTO {extension}.console_accounts (name, password, role, sees_payloads)
VALUES (%(name)s, %(password)s, %(role)s, %(sees_payloads)s::boolean)
ON CONFLICT (name) DO NOTHING
RETURNING name
