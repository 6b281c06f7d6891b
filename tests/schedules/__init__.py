"""Schedules: firing, by one process, by many, by a fleet with DBOS in it."""
