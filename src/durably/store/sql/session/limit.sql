-- Ends the statements after it, in this transaction, when they take longer, and has them planned for their values.
SELECT set_config('statement_timeout', %(milliseconds)s, true) AS statement_timeout,
       set_config('plan_cache_mode', 'force_custom_plan', true) AS plan_cache_mode
