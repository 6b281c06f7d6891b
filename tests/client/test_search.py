"""Finding workflows among many: pages by keyset, bounded searches that say how far they came, figures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from durably import AsyncDBOSClient, WorkflowFilter, errors
from durably.client import _search
from tests.console.million import fill
from tests.support.databases import Databases

RUNS = 3000


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    fill(url, RUNS)
    yield url
    databases.drop(url)


@pytest.fixture
async def client(filled: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=filled) as client:
        yield client


def numbers(page: object) -> list[int]:
    return [int(run.workflow_id.removeprefix("run-")) for run in page.workflows]  # type: ignore[attr-defined]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("order", ["created", "completed"])
async def test_pages_lead_forth_and_back(client: AsyncDBOSClient, order: str, newest_first: bool) -> None:
    options = {"order": order, "newest_first": newest_first, "limit": 100}
    seen, pages, after = [], [], None
    while True:
        page = await client.search_workflows(after=after, **options)  # type: ignore[arg-type]
        pages.append(page)
        seen += numbers(page)
        if (after := page.after) is None:
            break
    assert len(seen) == len(set(seen))
    if order == "created":
        assert seen == sorted(range(1, RUNS + 1), reverse=newest_first)
    assert pages[0].before is None
    back = await client.search_workflows(before=pages[2].before, **options)  # type: ignore[arg-type]
    assert numbers(back) == numbers(pages[1])
    first = await client.search_workflows(before=back.before, **options)  # type: ignore[arg-type]
    assert (numbers(first), first.before) == (numbers(pages[0]), None)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (WorkflowFilter(status="ERROR"), lambda n: n % 33 == 0 and n % 1000 != 500 and n % 100 != 50),
        (WorkflowFilter(status="ERROR", name="workflow3"), lambda n: n % 33 == 0 and n % 50 == 3),
        (WorkflowFilter(parent_workflow_id="run-00000010"), lambda n: n == 11),
        (WorkflowFilter(attributes={"region": "r3"}), lambda n: n % 3 == 0 and n % 7 == 3),
        (WorkflowFilter(schedule_name="nightly"), lambda n: n % 500 == 7),
        (WorkflowFilter(authenticated_user="user-4"), lambda n: n % 1000 == 4),
        (WorkflowFilter(queue_name="queue-7", app_version="v2"), lambda n: n % 20 == 7 and n % 5 == 2),
    ],
)
async def test_a_filter_finds_what_it_says(
    client: AsyncDBOSClient, chosen: WorkflowFilter, expected: object
) -> None:
    found = await client.search_workflows(chosen, limit=1000)
    wanted = [n for n in range(1, RUNS + 1) if expected(n)]  # type: ignore[operator]
    listed = await client.list_workflows(chosen)
    assert sorted(numbers(found)) == sorted(int(run.workflow_id.removeprefix("run-")) for run in listed)
    assert set(numbers(found)) <= set(wanted)
    assert found.further is None


async def test_text_is_found_in_id_name_and_attributes(client: AsyncDBOSClient) -> None:
    assert numbers(await client.search_workflows(text="RUN-00001234")) == [1234]
    names = await client.search_workflows(text="Workflow49", limit=1000)
    assert {run.name for run in names.workflows} == {"workflow49"}
    assert {2709, 27} <= set(numbers(await client.search_workflows(text='"c27', limit=1000)))
    assert numbers(await client.search_workflows(text="%")) == []


async def test_a_search_without_index_says_how_far_it_came(
    client: AsyncDBOSClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_search, "WINDOW", 1000)
    chosen = WorkflowFilter(authenticated_user="user-4")
    found, looks, after = [], 0, None
    while True:
        page = await client.search_workflows(chosen, after=after)
        found += numbers(page)
        looks += 1
        if (after := page.after or page.further) is None:
            break
        assert page.searched == 1000
    assert (found, looks) == ([2004, 1004, 4], 4)


async def test_ids_are_found_by_their_beginning(client: AsyncDBOSClient) -> None:
    found = await client.workflows_by_id_prefix("run-0000123", limit=20)
    assert [run.workflow_id for run in found] == [f"run-0000123{n}" for n in range(10)]
    assert await client.workflows_by_id_prefix("zebra") == []


async def test_statuses_are_counted(client: AsyncDBOSClient) -> None:
    counts = await client.count_statuses()
    for status in ("ERROR", "CANCELLED", "PENDING", "ENQUEUED", "DELAYED", "SUCCESS"):
        assert counts.counts[status] == await client.count_workflows(WorkflowFilter(status=status))
    some = await client.count_statuses(WorkflowFilter(name="workflow0", status="ERROR"))
    assert some.counts["SUCCESS"] == await client.count_workflows(
        WorkflowFilter(name="workflow0", status="SUCCESS")
    )
    assert some.is_complete


@pytest.mark.parametrize("cursor", ["x", ".", "1", "9" * 30 + ".x", "\0"])
async def test_a_cursor_that_was_made_up_is_refused(client: AsyncDBOSClient, cursor: str) -> None:
    if cursor == "1":
        assert (await client.search_workflows(after=cursor)).workflows == ()
    else:
        with pytest.raises(errors.InvalidOption):
            await client.search_workflows(after=cursor)


async def test_activity_adds_up(client: AsyncDBOSClient) -> None:
    week = await client.activity(seconds=8 * 86_400, spans=192)
    assert sum(week.created) == RUNS
    ended = await client.count_workflows(WorkflowFilter(status="SUCCESS"))
    assert ended - 5 <= sum(week.succeeded) <= ended  # the newest end a little after now
    assert sum(week.failed) > 0 and week.is_complete
    assert not (await client.activity(seconds=8 * 86_400, spans=192, most=100)).is_complete


async def test_the_overview_counts(client: AsyncDBOSClient) -> None:
    facts = await client.get_overview()
    assert facts.pending == await client.count_workflows(WorkflowFilter(status="PENDING"))
    assert facts.enqueued == await client.count_workflows(WorkflowFilter(status="ENQUEUED"))
    assert facts.dead_letters == len(await client.list_dead_letters())
    assert sum(facts.failures.values()) > 0 and facts.failures_are_all
