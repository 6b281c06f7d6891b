"""What a schema consists of, as sorted facts that can be compared: `difference(theirs, ours)`."""

from __future__ import annotations

from typing import Any

import psycopg

__all__ = ["bodies", "catalog", "difference", "rows"]

_FACTS = """
WITH space AS (SELECT oid, nspname, nspacl FROM pg_namespace WHERE nspname = %(schema)s)
SELECT 'schema', nspacl::text FROM space
UNION ALL
SELECT 'relation ' || relname, format('%%s %%s %%s %%s', relkind, relpersistence, reloptions, relacl)
FROM pg_class JOIN space ON relnamespace = space.oid
UNION ALL
SELECT 'columns of ' || relname,
       string_agg(
           format('%%I %%s%%s default %%s %%s%%s%%s', attname, format_type(atttypid, atttypmod),
                  CASE WHEN attnotnull THEN ' not null' END, pg_get_expr(adbin, adrelid),
                  attidentity, attgenerated, attcollation),
           E'\\n' ORDER BY attnum)
FROM pg_class JOIN space ON relnamespace = space.oid
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
GROUP BY relname
UNION ALL
SELECT format('constraint %%s of %%s', conname, conrelid::regclass),
       format('%%s valid %%s deferrable %%s', pg_get_constraintdef(c.oid), convalidated, condeferrable)
FROM pg_constraint AS c JOIN space ON connamespace = space.oid
UNION ALL
SELECT 'index ' || relname,
       format('%%s valid %%s ready %%s', pg_get_indexdef(indexrelid), indisvalid, indisready)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN space ON relnamespace = space.oid
UNION ALL
SELECT format('function %%s(%%s)', proname, pg_get_function_identity_arguments(p.oid)),
       format('(%%s) returns %%s %%s %%s definer %%s leakproof %%s volatility %%s strict %%s parallel %%s '
              'cost %%s config %%s acl %%s', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
              prokind, lanname, prosecdef, proleakproof, provolatile, proisstrict, proparallel, procost,
              proconfig, proacl)
FROM pg_proc AS p JOIN space ON pronamespace = space.oid JOIN pg_language AS l ON l.oid = prolang
UNION ALL
SELECT format('trigger %%s of %%s', tgname, relname),
       format('%%s enabled %%s', pg_get_triggerdef(t.oid), tgenabled)
FROM pg_trigger AS t JOIN pg_class ON pg_class.oid = tgrelid JOIN space ON relnamespace = space.oid
WHERE NOT tgisinternal
UNION ALL
SELECT 'type ' || typname, typtype::text
FROM pg_type JOIN space ON typnamespace = space.oid WHERE typtype NOT IN ('c', 'b')
"""

_BODIES = """
SELECT proname, prosrc FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace AND n.nspname = %(schema)s
"""


def catalog(url: str, schema: str = "dbos") -> dict[str, str]:
    """Everything that stands in the schema, under its kind and name; the schema's own name is {schema}."""
    with psycopg.connect(url) as connection:
        connection.execute(b"SET search_path TO ''")  # so that every name is written with its schema
        found = connection.execute(_FACTS.encode(), {"schema": schema}).fetchall()
    quoted = '"' + schema.replace('"', '""') + '"'
    return {
        str(what).replace(f"{quoted}.", "{schema}.").replace(f"{schema}.", "{schema}."): str(definition)
        .replace(f"{quoted}.", "{schema}.")
        .replace(f"{schema}.", "{schema}.")
        for what, definition in found
    }


def bodies(url: str, schema: str = "dbos") -> dict[str, str]:
    """The bodies of the functions."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(_BODIES.encode(), {"schema": schema}).fetchall())


def difference(theirs: dict[str, str], ours: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """What differs, as (theirs, ours); empty when nothing does."""
    return {
        what: (theirs.get(what), ours.get(what))
        for what in sorted(theirs.keys() | ours.keys())
        if theirs.get(what) != ours.get(what)
    }


def rows(url: str, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query says."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode(), values or None).fetchall()
