-- Ends the statements after it, in this transaction, when they take longer.
SELECT set_config('statement_timeout', %(milliseconds)s, true)
