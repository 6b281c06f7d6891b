"""Takes out of a test's database what the test put in: a tenth of the time that a new copy takes.

A database of which anything but rows has changed (tables, functions, rights, settings, statistics, rows that
were there before) is not the template's copy any more, and is not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

__all__ = ["Likeness", "likeness", "recycle"]

MOST = 4_000_000  # bytes of tables and indexes: what a test swelled is slower to empty than to copy

FIRST = 16384  # the first oid that is not the server's own

CATALOGUE = f"""
SELECT md5(string_agg(line, E'\n' ORDER BY line)) FROM (
    SELECT concat_ws(' ', 'relation', oid::regclass, relkind, reltuples, reloptions, relacl, relowner) AS line
    FROM pg_class WHERE oid >= {FIRST} AND relkind NOT IN ('t', 'i')
    UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid) FROM pg_index
    WHERE indrelid >= {FIRST} AND indrelid::regclass::text NOT LIKE 'pg_toast.%'
    UNION ALL
    SELECT concat_ws(' ', 'column', attrelid::regclass, attnum, attname, atttypid, attnotnull, attacl,
                     pg_get_expr(adbin, adrelid))
    FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    JOIN pg_class c ON c.oid = attrelid
    WHERE c.oid >= {FIRST} AND relkind IN ('r', 'v', 'p', 'm')
    UNION ALL
    SELECT concat_ws(' ', 'function', oid::regprocedure, md5(prosrc), proacl, proconfig)
    FROM pg_proc WHERE oid >= {FIRST}
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE oid >= {FIRST}
    UNION ALL
    SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    UNION ALL
    SELECT concat_ws(' ', 'schema', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT concat_ws(' ', 'database', datacl, datconnlimit, setconfig)
    FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid
    WHERE datname = current_database()
    UNION ALL
    SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
    UNION ALL
    SELECT concat_ws(' ', 'statistics', count(*)) FROM pg_statistic WHERE starelid >= {FIRST}
) lines
"""

TABLES = f"""
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND oid >= {FIRST} AND relpersistence <> 't' ORDER BY 1
"""

SIZE = f"""
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relkind = 'r' AND oid >= {FIRST}
"""

USED_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
"""

OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Likeness:
    """What a database is like that no test has used."""

    catalogue: str
    kept: dict[str, str]  # tables that have rows, and the hash of those
    emptied: tuple[str, ...]  # the others
    used: tuple[str, ...]  # sequences that have given a number


def likeness(url: str) -> Likeness:
    """Look at a template."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = _column(connection, TABLES)
        rows = {table: _rows(connection, table) for table in tables}
        return Likeness(
            catalogue=_column(connection, CATALOGUE)[0],
            kept={table: rows for table, rows in rows.items() if rows},
            emptied=tuple(table for table in tables if not rows[table]),
            used=tuple(_column(connection, USED_SEQUENCES)),
        )


def recycle(url: str, like: Likeness) -> bool:
    """Make the database as it was, with nobody connected to it; False where it has become another."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            _column(connection, OTHERS)
            connection.execute("SET lock_timeout = '2s'")
            return _is_like(connection, like) and _emptied(connection, like)
    except psycopg.Error:
        return False


def _is_like(connection: psycopg.Connection, like: Likeness) -> bool:
    return (
        _column(connection, CATALOGUE) == [like.catalogue]
        and all(_rows(connection, table) == rows for table, rows in like.kept.items())
        and int(_column(connection, SIZE)[0]) <= MOST
    )


def _emptied(connection: psycopg.Connection, like: Likeness) -> bool:
    with connection.transaction():
        connection.execute(
            "SET LOCAL session_replication_role = replica"
        )  # neither triggers nor foreign keys
        if like.emptied:
            connection.execute(sql.SQL("; ").join(_delete(table) for table in like.emptied))
    for sequence in set(_column(connection, USED_SEQUENCES)) - set(like.used):
        connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.SQL(sequence)))
    return True


def _delete(table: str) -> sql.Composed:
    return sql.SQL("DELETE FROM {}").format(sql.SQL(table))


def _rows(connection: psycopg.Connection, table: str) -> str:
    """A hash of the rows of a table, or nothing where it has none."""
    query = sql.SQL("SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {} t")
    return _column(connection, query.format(sql.SQL(table)))[0]


def _column(connection: psycopg.Connection, query: sql.Composed | str) -> list[str]:
    return [value for (value,) in connection.execute(query)]
