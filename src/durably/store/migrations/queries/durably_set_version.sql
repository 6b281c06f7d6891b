-- Records a migration of the extension schema. Locks: none that anybody waits for.
INSERT INTO {extension}.migrations (version) VALUES (%(version)s) ON CONFLICT (version) DO NOTHING
