"""What an operator does with one run: a form for each, which keeps what was typed when it is refused."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from starlette.responses import Response

from durably.console.access import Role
from durably.console.failures import failure
from durably.console.pages import run as run_page
from durably.console.views.deeds import DEEDS, Deed, Done, Refused
from durably.console.visit import Page, Visit, action, page
from durably.errors import DatabaseUnavailable, DurablyError, NoSuchWorkflow
from durably.types import WorkflowStatus

__all__ = ["PAGES", "to_run"]


def to_run(workflow_id: str, **more: str) -> str:
    """The path of a run's page."""
    return "/run?" + urlencode({"id": workflow_id, **more})


def _pages(deed: Deed) -> tuple[Page, Page]:
    path, role = f"/run/{deed.verb}", cast("Role", deed.role)

    @page(path, role=role)
    async def ask(visit: Visit) -> Response:
        found = await _found(visit, visit.asked("id"))
        return await _form(visit, deed, found, dict(deed.known(found)), {}, None)

    @action(path, role=role)
    async def act(visit: Visit) -> Response:
        typed = {name: str(value) for name, value in (await visit.form()).items()}
        id_ = typed.get("id_", "")
        try:
            done = await visit.act(
                deed.verb, "workflow", id_, lambda: deed.do(visit.client, id_, typed, visit.user.name),
                detail=_detail(deed, typed), did=lambda done: done.says,
            )  # fmt: skip
        except Refused as refused:
            found = await _found(visit, id_)
            return await _form(visit, deed, found, typed, {refused.entry: str(refused)}, None, status=400)
        except (NoSuchWorkflow, DatabaseUnavailable):
            raise
        except DurablyError as error:
            found = await _found(visit, id_)
            failed = failure(error)
            return await _form(visit, deed, found, typed, {}, failed.message, status=failed.status)
        return _answer(visit, id_, typed, done)

    return ask, act


async def _found(visit: Visit, workflow_id: str) -> WorkflowStatus:
    return await visit.client.get_workflow(workflow_id, load_input=False, load_output=False)


async def _form(
    visit: Visit,
    deed: Deed,
    found: WorkflowStatus,
    typed: dict[str, str],
    wrong: dict[str, str],
    refused: str | None,
    *,
    status: int = 200,
) -> Response:
    return visit.render(
        "run/deed.html", status=status, run=found, deed=deed, entries=deed.entries, typed=typed, wrong=wrong,
        refused=refused, name_of=run_page.name_of,
    )  # fmt: skip


def _detail(deed: Deed, typed: dict[str, str]) -> dict[str, str]:
    """What was asked for besides the run, without payloads."""
    told = [entry.name for entry in deed.entries if entry.kind != "json" and entry.name != "id"]
    return {name: typed[name] for name in told if typed.get(name)}


def _answer(visit: Visit, workflow_id: str, typed: dict[str, str], done: Done) -> Response:
    if done.workflow_id == "":
        return visit.go("/runs", say=done.says)
    tab = {"tab": typed["tab"]} if typed.get("tab") else {}
    return visit.go(to_run(done.workflow_id or workflow_id, **tab), say=done.says)


PAGES = tuple(each for deed in DEEDS for each in _pages(deed))
