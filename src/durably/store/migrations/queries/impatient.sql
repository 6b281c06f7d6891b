-- For this transaction: rather fail than queue for a lock, because everybody who comes later queues behind us.
SET LOCAL lock_timeout = '3s'
