"""The store on a real PostgreSQL: what its statements write, and what is in their way."""
