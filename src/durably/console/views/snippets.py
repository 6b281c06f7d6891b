"""A run as Python that somebody can copy, and that really runs."""

from __future__ import annotations

import pprint
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from durably.core.names import INTERNAL_QUEUE
from durably.types import Payload, WorkflowStatus

__all__ = ["snippets"]

URL = 'os.environ["DBOS_SYSTEM_DATABASE_URL"]'
OPTIONS = {
    "workflow_class_name": "class_name",
    "instance_name": "config_name",
    "authenticated_user": "authenticated_user",
    "assumed_role": "assumed_role",
    "queue_partition_key": "queue_partition_key",
    "application_name": "application_name",
}
READABLE = ("js_superjson",)  # formats that every client may write, besides the usual one


def snippets(
    run: WorkflowStatus, given: Payload | None, *, step: int | None, schema: str = "dbos"
) -> Iterator[tuple[str, str]]:
    """Programs with a title: wait for it, enqueue the like (where its arguments are known), fork it."""
    id_ = repr(run.workflow_id)
    yield (
        "Wait for its result",
        _program(schema, f"handle = client.retrieve_workflow({id_})", "print(handle.get_result())"),
    )
    arguments = None if given is None else _arguments(given)
    if arguments is not None:
        yield "Enqueue it again, with the same arguments", _enqueue(run, schema, arguments)
    begin = "" if step is None else f", {step}"
    lines = f"fork = client.fork_workflow({id_}{begin})", "print(fork.workflow_id)"
    where = "the beginning" if step is None else f"operation {step}"
    yield f"Fork it from {where}", _program(schema, *lines)


def _program(schema: str, *lines: str, names: str = "DBOSClient", imports: str = "") -> str:
    chosen = "" if schema == "dbos" else f", schema={schema!r}"
    body = "\n".join("    " + line for text in lines for line in text.split("\n"))
    return (
        f"{imports}import os\n\nfrom durably import {names}\n\n"
        f"with DBOSClient.create(system_database_url={URL}{chosen}) as client:\n{body}\n"
    )


def _enqueue(run: WorkflowStatus, schema: str, arguments: Mapping[str, Any]) -> str:
    options: dict[str, Any] = {
        "workflow_name": run.name,
        "queue_name": run.queue_name or INTERNAL_QUEUE,
    }
    options |= {name: getattr(run, field) for name, field in OPTIONS.items() if getattr(run, field)}
    if run.attributes:
        options["attributes"] = {
            name: value for name, value in run.attributes.items() if not name.startswith("durably.")
        }
    if run.serialization in READABLE:
        options["serialization"] = run.serialization
    named = "".join(f"\n    {name}={_code(value)}," for name, value in options.items() if value)
    call = [_code(each) for each in arguments["args"]]
    names = [f"{name}={_code(value)}" for name, value in arguments["kwargs"].items()]
    inside = "".join(f"\n    {argument}," for argument in ("options", *call, *names))
    return _program(
        schema,
        f"options = EnqueueOptions({named}\n)",
        f"handle = client.enqueue({inside}\n)",
        "print(handle.workflow_id)",
        names="DBOSClient, EnqueueOptions",
        imports="import datetime\n" if "datetime." in named + inside else "",
    )


def _arguments(given: Payload) -> Mapping[str, Any] | None:
    """The arguments, where all of them can be written as Python."""
    value = given.value
    if not isinstance(value, dict) or not _is_writable(value):
        return None
    if not all(name.isidentifier() and name not in ("connection", "options") for name in value["kwargs"]):
        return None
    return value


def _is_writable(value: Any) -> bool:
    match value:
        case None | bool() | int() | str() | bytes() | datetime():
            return type(value) in (type(None), bool, int, str, bytes, datetime)
        case float():
            return value - value == 0  # neither nan nor infinite
        case list() | tuple() | set():
            return all(map(_is_writable, value))
        case dict():
            return all(_is_writable(key) and _is_writable(each) for key, each in value.items())
        case _:
            return False


def _code(value: Any) -> str:
    return pprint.pformat(value, width=80, sort_dicts=False).replace("\n", "\n    ")
