"""What real DBOS does when code changes under a workflow, and what rows methods and children get.

Argument: the system database's URL. Prints one JSON document, compared in tests/interop/test_code_changes.py
what durably does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSConfiguredInstance, DBOSContextSetAuth, SetWorkflowID

DBOS(
    config=DBOSConfig(
        name="changes-py",
        system_database_url=sys.argv[1],
        application_version="changes-1",
        log_level="CRITICAL",
    )
)


def did(word: str) -> str:
    return DBOS.run_step({"name": word}, lambda: word)


def pause() -> Any:
    return DBOS.recv("go", timeout_seconds=20)


def before() -> list[Any]:
    return [did("old"), pause(), did("end")]


def patched() -> list[Any]:
    return [did("new") if DBOS.patch("p") else did("old"), pause(), did("end")]


def patched_later() -> list[Any]:
    return [did("old"), pause(), did("new") if DBOS.patch("p") else did("end")]


def deprecated() -> list[Any]:
    DBOS.deprecate_patch("p")
    return [did("new"), pause(), did("end")]


def removed() -> list[Any]:
    return [did("new"), pause(), did("end")]


CODES = {code.__name__: code for code in (before, patched, patched_later, deprecated, removed)}
code: Callable[[], Any] = before


@DBOS.workflow(name="w")
def w() -> Any:
    return code()


@DBOS.workflow(name="child")
def child() -> list[Any]:
    return [DBOS.authenticated_user, DBOS.authenticated_roles]


@DBOS.workflow(name="parent")
def parent() -> list[Any]:
    return [DBOS.start_workflow(child).get_result(), child()]


@DBOS.dbos_class("BoxOffice")
class BoxOffice(DBOSConfiguredInstance):
    def __init__(self, config_name: str, seats: int) -> None:
        super().__init__(config_name)
        self.seats = seats

    @DBOS.workflow(name="sell")
    def sell(self, count: int) -> int:
        return self.seats - count

    @classmethod
    @DBOS.workflow(name="open")
    def open(cls, hall: str) -> str:
        return f"{cls.__name__} of {hall}"

    @staticmethod
    @DBOS.workflow(name="audit")
    def audit(count: int) -> int:
        return count + 1


def operations(workflow_id: str) -> list[Any]:
    """All but the timers, which are there only where the message was not yet."""
    steps = DBOS.list_workflow_steps(workflow_id)
    return [[s["function_id"], s["function_name"]] for s in steps if s["function_name"] != "DBOS.sleep"]


def changes() -> dict[str, Any]:
    """Each code first alone, then every other one from its last operation on."""
    global code
    found: dict[str, Any] = {}
    for then, code in CODES.items():
        with SetWorkflowID(then):
            handle = DBOS.start_workflow(w)
        DBOS.send(then, "went", "go")
        found[then] = [handle.get_result(), operations(then)]
        last = operations(then)[-1][0]
        if then == "patched_later":
            last -= 1  # the marker is in question
        for now in CODES:
            code = CODES[now]
            forked = DBOS.fork_workflow(then, last)
            try:
                result = forked.get_result()
            except Exception as error:
                result = type(error).__name__
            found[f"{then}-{now}"] = [result, operations(forked.workflow_id)]
    return found


ROW = ("name", "class_name", "config_name", "authenticated_user", "assumed_role", "authenticated_roles")


def described(workflow_id: str) -> list[Any]:
    status = DBOS.get_workflow_status(workflow_id)
    return [getattr(status, field) for field in ROW]


def methods() -> dict[str, Any]:
    hall = BoxOffice("hall", 400)
    for name, call in {
        "sell": lambda: hall.sell(1),
        "open": lambda: BoxOffice.open("the hall"),
        "audit": lambda: BoxOffice.audit(1),
    }.items():
        with SetWorkflowID(name):
            call()
    with DBOSContextSetAuth("ada", ["buyer", "admin"]), SetWorkflowID("parent"):
        told = parent()
    ids = ["sell", "open", "audit", "parent", "parent-1", "parent-3"]
    return {"told": told, **{each: described(each) for each in ids}, "steps": operations("parent")}


DBOS.launch()
print("FOUND " + json.dumps({"changes": changes(), "methods": methods()}), flush=True)
DBOS.destroy()
