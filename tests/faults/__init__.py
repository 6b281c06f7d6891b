"""Faults on real servers and real processes: each file is one row of the table in docs/reliability.md."""
