"""Finding workflows among millions: pages by keyset, in bounded time, saying how far they looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from durably.client import _decode as decode
from durably.client import _filters as filters
from durably.client._base import Part
from durably.client._session import Open
from durably.core import checks
from durably.errors import InvalidOption
from durably.store import pauses, search, workflows
from durably.store.search import Place
from durably.types import SearchCounts, WorkflowFilter, WorkflowOrder, WorkflowPage, WorkflowStatus

__all__ = ["Searching"]

WINDOW = 20_000  # rows that a page looks at, at most
NARROW = 3_000  # rows that an index may find, to be sorted
COUNTED = 10_000  # workflows of a status that are counted
SEEN = 10_000  # of the newest, where a filter is counted
BADLY = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
SUCCESS = "SUCCESS"  # the one status without an index
INDEXED = ("workflow_ids", "parent_workflow_id", "forked_from", "schedule_name", "attributes")
TIMES = ("start_time", "end_time")
ORDERS = ("created", "completed")


class Searching(Part):
    """What finds workflows."""

    async def search_workflows(
        self,
        filter: WorkflowFilter | None = None,
        *,
        text: str | None = None,
        order: WorkflowOrder = "created",
        newest_first: bool = True,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> WorkflowPage:
        """Return a page of the workflows of a filter, found in bounded time however many there are.

        `order="completed"` is by when they ended; the filter's own order, limit and offset do not count.
        `text` must occur in id, name or attributes, in any case of the letters. The next page is
        `after=page.after`, the one before it `before=page.before`. Where no index helps, the next 20,000
        workflows are looked at: if there are more, `page.searched` tells how far it came, and
        `after=page.further` goes on from there. Payloads are not loaded.

            page = await client.search_workflows(WorkflowFilter(name="purchaseTicket"), text="order-")
            for workflow in page.workflows: print(workflow.workflow_id, workflow.name)
        """
        checks.choice("order", order, ORDERS)
        many = checks.whole("limit", limit, least=1, most=1000)
        wanted = replace(filter or WorkflowFilter(), load_input=False, load_output=False)
        backwards = before is not None
        conditions = filters.conditions(wanted, self._session.settings) | {
            "text": _text(text),
            "descending": bool(newest_first) != backwards,
            "cursor_at": None,
            "cursor_id": None,
            "limit": many + 1,
            "window": WINDOW,
            "most": NARROW,
        }
        if (cursor := before or after) is not None:
            conditions["cursor_at"], conditions["cursor_id"] = _place(cursor)
        return await self._session.call(
            lambda open_: self._found_page(open_, conditions, order, many, backwards)
        )

    async def count_statuses(
        self, filter: WorkflowFilter | None = None, *, text: str | None = None
    ) -> SearchCounts:
        """Return how many workflows of a filter there are by status, counted to 10,000 of each.

        With any other condition than an application only the newest 10,000 workflows are looked at;
        `is_complete` tells whether those were all.

            print((await client.count_statuses()).counts)
        """
        wanted = replace(filter or WorkflowFilter(), status=None)
        conditions = filters.conditions(wanted, self._session.settings) | {
            "text": _text(text),
            "window": SEEN,
        }
        if _is_everything(conditions):
            counts = await self._session.call(
                lambda open_: search.statuses(
                    open_.database, conditions["scope"], most=COUNTED + 1, window=2 * COUNTED
                )
            )
            return SearchCounts(counts=counts, most=COUNTED, is_complete=True)
        counts, seen = await self._session.call(lambda open_: search.statuses_of(open_.database, conditions))
        return SearchCounts(counts=counts, most=COUNTED, is_complete=seen < SEEN)

    async def workflows_by_id_prefix(self, prefix: str, *, limit: int = 5) -> list[WorkflowStatus]:
        """Return the first workflows whose id begins with a text, the id itself before all, however old.

        Where the database does not sort by bytes, ids with other signs between may hide some. Payloads are
        not loaded.

            for workflow in await client.workflows_by_id_prefix("order-"): print(workflow.workflow_id)
        """
        beginning = checks.address("prefix", prefix)
        many = checks.whole("limit", limit, least=1, most=1000)
        scope = self._session.settings.application_name

        async def look(open_: Open) -> list[WorkflowStatus]:
            places = await search.prefixed(open_.database, beginning, scope, limit=many)
            return await self._workflows(open_, places)

        return await self._session.call(look)

    async def _found_page(
        self, open_: Open, conditions: dict[str, Any], order: WorkflowOrder, many: int, backwards: bool
    ) -> WorkflowPage:
        found, further = await _found(open_, conditions, order)
        more = len(found) > many
        shown = found[:many][::-1] if backwards else found[:many]
        if backwards and not more:
            further = None
        first, last = (_cursor(shown[0]), _cursor(shown[-1])) if shown else (None, None)
        begun = conditions["cursor_at"] is not None
        return WorkflowPage(
            workflows=tuple(await self._workflows(open_, shown)),
            after=last if more or backwards else None,
            before=first if (more if backwards else begun) else None,
            further=_cursor(further) if further is not None and not more else None,
            searched=WINDOW if further is not None and not more else None,
        )

    async def _workflows(self, open_: Open, places: list[Place]) -> list[WorkflowStatus]:
        if not places:
            return []
        ids = [place.workflow_id for place in places]
        wanted = WorkflowFilter(workflow_ids=ids, load_input=False, load_output=False)
        page = filters.page(wanted, self._session.settings)
        rows = await pauses.with_notes(open_, await workflows.list_workflows(open_.database, page))
        shown = {row["workflow_id"]: decode.workflow(self._session.settings.codecs, row) for row in rows}
        return [shown[workflow_id] for workflow_id in ids if workflow_id in shown]


async def _found(
    open_: Open, conditions: dict[str, Any], order: WorkflowOrder
) -> tuple[list[Place], Place | None]:
    """A page and one more; and the last row that was looked at, where there are more behind it."""
    database = open_.database
    if order == "created":
        if _ended_badly(conditions):
            return await search.page(database, "ended", conditions), None
        if (by := _indexed(conditions)) is not None:
            narrow = await search.narrow(database, conditions | {"by": by})
            if narrow is not None:
                return narrow, None
    found = await search.page(database, order, _limited(conditions))
    if len(found) == conditions["limit"]:
        return found, None
    return found, await search.edge(database, order, conditions)


def _limited(conditions: dict[str, Any]) -> dict[str, Any]:
    """Without a condition that rows could fail, no more rows are looked at than the page takes."""
    return conditions | {"window": conditions["limit"]} if _is_everything(conditions) else conditions


def _is_everything(conditions: dict[str, Any]) -> bool:
    asked = {*filters.ANY_OF, *filters.FLAGS, *filters.INSTANTS, "attributes", "workflow_id_prefix", "text"}
    return not any(conditions[name] for name in asked if conditions[name] is not None)


def _ended_badly(conditions: dict[str, Any]) -> bool:
    """Whether it asks for nothing but statuses that an index has in the order of creation, and a time."""
    status = conditions["status"]
    others = conditions | dict.fromkeys(("status", *TIMES))
    return bool(status) and BADLY.issuperset(status) and _is_everything(others)


def _indexed(conditions: dict[str, Any]) -> str | None:
    """Whether a column or the status has an index that may find few workflows."""
    if any(conditions[name] is not None for name in INDEXED):
        return "column"
    return "status" if conditions["status"] and SUCCESS not in conditions["status"] else None


def _text(text: str | None) -> str | None:
    """What to look for: ASCII letters in lower case, as the statement compares them."""
    if text is None or not text.strip():
        return None
    sought = checks.address("text", text.strip())
    return "".join(letter.lower() if letter.isascii() else letter for letter in sought)


def _cursor(place: Place) -> str:
    return f"{place.at}.{place.workflow_id}"


def _place(cursor: str) -> tuple[int, str]:
    at, _, workflow_id = checks.address("after", cursor).partition(".")
    if not at.isascii() or not at.lstrip("-").isdigit() or len(at) > 18:
        raise InvalidOption("after", cursor, "take it from a page: page.after, page.before")
    return int(at), workflow_id
