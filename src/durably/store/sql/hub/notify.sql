-- Wakes listeners of our channel, at commit.
SELECT pg_notify('durably', %(payload)s)
