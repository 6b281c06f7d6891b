-- For this transaction: rather fail than queue for a lock, because everybody who comes later queues behind us.
SELECT set_config('lock_timeout', %(timeout)s, true)
