"""Everything that knows PostgreSQL: one statement per file in `sql/<noun>/<verb>.sql`, rows in, rows out.

The only package that imports the driver. It deals in text and numbers, never in user objects.
"""
