"""The engine on a real PostgreSQL: its invariants, workflows, queues, and what happens when processes die."""
