"""The tables: which generation, all indexes, and what this role may do with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durably.core.doctor.readings import Access, Index, Readings, SchemaReading
from durably.core.doctor.words import counted
from durably.types import Finding

__all__ = ["judge"]

READ = ("SELECT",)
ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
MIGRATIONS = ("dbos_migrations", "migrations")
UNUSED = ("event_dispatch_kv",)

# What each verb does to which of DBOS's tables; reading needs SELECT on every one.
VERBS: dict[str, dict[str, Sequence[str]]] = {
    "enqueue": {"workflow_status": ("SELECT", "INSERT"), "workflow_input": ("SELECT", "INSERT")},
    "send": {"workflow_status": READ, "notifications": ("SELECT", "INSERT")},
    "cancel, resume and pause": {"workflow_status": ("SELECT", "UPDATE")},
    "fork and rewind": {
        "workflow_status": ("SELECT", "INSERT", "UPDATE"),
        "operation_outputs": ("SELECT", "INSERT", "DELETE"),
    },
    "delete": {"workflow_status": ("SELECT", "DELETE"), "operation_outputs": ("SELECT", "DELETE")},
    "change queues and schedules": {"queues": ALL, "workflow_schedules": ALL},
}


def judge(readings: Readings) -> Iterator[Finding]:
    """The findings about the tables."""
    state = readings.schema
    if state is None:
        return
    yield _generation(state)
    if not _is_usable(state):
        return
    yield _extension(state)
    if readings.access is not None and readings.server is not None:
        yield _privileges(readings.access, readings.server.role)
    if readings.indexes is not None:
        yield _indexes(state, readings.indexes)


def _is_usable(state: SchemaReading) -> bool:
    is_old = state.generation is not None and state.generation < state.needed_generation
    return state.exists and not state.problems and not is_old


def _generation(state: SchemaReading) -> Finding:
    if not state.exists:
        return Finding(
            check="schema",
            level="error",
            seen="there are no tables of DBOS here",
            advice="is it the right database, and the right --schema? An application's system database is "
            "called like its own with _dbos_sys appended; `durably db migrate` makes the tables",
        )
    if state.problems:
        return Finding(
            check="schema",
            level="error",
            seen="; ".join(state.problems),
            advice="this is no system database as durably knows it: name another, or restore what is missing",
        )
    if state.generation is None:
        seen, advice = "this role may not read DBOS's generation", "GRANT SELECT ON dbos_migrations to it"
        return Finding(check="schema", level="warning", seen=seen, advice=advice)
    seen = f"generation {state.generation} of DBOS's tables"
    if state.generation < state.needed_generation:
        advice = (
            "`durably db migrate` brings it up from 100 on; before that, launch the DBOS application once"
        )
        seen = f"{seen}, {state.needed_generation} is needed"
        return Finding(check="schema", level="error", seen=seen, advice=advice)
    if state.generation < state.known_generation:
        seen = f"{seen}; {state.known_generation} has more indexes"
        return Finding(check="schema", level="warning", seen=seen, advice="run `durably db migrate`")
    if state.generation > state.known_generation:
        seen = f"{seen}, this release knows {state.known_generation}: used as it is, as DBOS does"
    return Finding(check="schema", level="ok", seen=seen)


def _extension(state: SchemaReading) -> Finding:
    if state.extension is None:
        return Finding(
            check="extension",
            level="warning",
            seen="durably's own tables are not there: only DBOS has used this database, or they are hidden",
            advice="`durably db migrate` adds them beside DBOS's, which stay as they are: durably's workers, "
            "pausing, `explain` and limits of attempts need them",
        )
    seen = f"step {state.extension} of durably's own tables"
    if state.extension < state.known_extension:
        seen = f"{seen}, this release makes {state.known_extension}"
        return Finding(check="extension", level="warning", seen=seen, advice="run `durably db migrate`")
    if state.extension > state.known_extension:
        seen = f"{seen}, this release knows {state.known_extension}"
        advice = "a newer durably has been here: upgrade this one when you can"
        return Finding(check="extension", level="warning", seen=seen, advice=advice)
    return Finding(check="extension", level="ok", seen=seen)


def _privileges(access: Sequence[Access], role: str) -> Finding:
    """What this role can do, by verb."""
    has = {a.name: a.privileges if a.has_usage else () for a in access if not a.is_extension}
    tables = [name for name in has if name not in (*MIGRATIONS, *UNUSED)]
    unread = [name for name in tables if "SELECT" not in has[name]]
    if unread:
        return Finding(
            check="privileges",
            level="error",
            seen=f"{role} may not read {', '.join(unread)}",
            advice="GRANT USAGE ON SCHEMA, and SELECT ON ALL TABLES IN SCHEMA, to it: `list` needs no more",
        )
    lacks = {verb: _lacking(has, needs) for verb, needs in VERBS.items()}
    lacks["run workers"] = _lacking(_named(access), dict.fromkeys(_named(access), ALL))
    may = ", ".join(["read", *(verb for verb, lack in lacks.items() if not lack)])
    missing = {verb: lack for verb, lack in lacks.items() if lack}
    if not missing:
        return Finding(check="privileges", level="ok", seen=f"{role} may {may}")
    return Finding(
        check="privileges",
        level="warning",
        seen=f"{role} may {may}, and may not {', '.join(missing)}",
        advice="as it should be for a role that only looks; otherwise GRANT what is listed",
        examples=tuple(f"{verb}: needs {lack}" for verb, lack in missing.items()),
    )


def _named(access: Sequence[Access]) -> dict[str, Sequence[str]]:
    """All tables of both schemas that workers write, as they are told apart."""
    return {
        f"durably's {a.name}" if a.is_extension else a.name: a.privileges if a.has_usage else ()
        for a in access
        if a.name not in (*MIGRATIONS, *UNUSED)
    }


def _lacking(has: dict[str, Sequence[str]], needs: dict[str, Sequence[str]]) -> str:
    """The privileges that are missing, in words; '' when all are there. The first three tables do."""
    found = []
    for table, wanted in needs.items():
        if lack := [each for each in wanted if each not in has.get(table, ())]:
            found.append(f"{'/'.join(lack)} on {table}")
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _indexes(state: SchemaReading, indexes: Sequence[Index]) -> Finding:
    invalid = [each for each in indexes if not each.is_valid]
    there = {each.name for each in indexes}
    is_known = state.generation is not None and state.generation >= state.known_generation
    missing = {name: table for name, table in state.indexes.items() if name not in there} if is_known else {}
    if invalid:
        return Finding(
            check="indexes",
            level="error",
            seen=f"{counted(len(invalid), 'index', 'indexes')} cannot be used: building it was interrupted",
            advice="REINDEX INDEX CONCURRENTLY builds it again",
            examples=tuple(f"{each.schema}.{each.name} on {each.table_name}" for each in invalid),
        )
    if missing and state.generation == state.known_generation:
        return Finding(
            check="indexes",
            level="error",
            seen=f"DBOS's tables lack {counted(len(missing), 'index', 'indexes')}: whole tables are read",
            advice="somebody dropped it: create it as `durably db migrate` does on an empty database",
            examples=tuple(f"{name} on {table}" for name, table in missing.items()),
        )
    return Finding(check="indexes", level="ok", seen=f"{len(indexes)} indexes, all of them valid")
