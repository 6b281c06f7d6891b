"""Row 14: rows that nobody can start never block a queue."""

from __future__ import annotations

import random
from typing import Any

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.table import Table

DEEP = '{"positionalArgs":[' + "[" * 100_000 + "]" * 100_000 + '],"namedArgs":{}}'
KINDS = {
    "unknown function": "UPDATE dbos.workflow_status SET name = 'nobody has it' WHERE workflow_uuid = %s",
    "unknown serialization": "UPDATE dbos.workflow_status SET serialization = 'x' WHERE workflow_uuid = %s",
    "roles that are no JSON": (
        "UPDATE dbos.workflow_status SET authenticated_roles = '{[' WHERE workflow_uuid = %s"
    ),
    "unregistered class": "UPDATE dbos.workflow_status SET class_name = 'Nowhere' WHERE workflow_uuid = %s",
    "missing input row": "DELETE FROM dbos.workflow_input WHERE workflow_uuid = %s",
    "undecodable": "UPDATE dbos.workflow_input SET inputs = '{' WHERE workflow_uuid = %s",
    "wrong shape": "UPDATE dbos.workflow_input SET inputs = '[1]' WHERE workflow_uuid = %s",
    "wrong arity": (
        'UPDATE dbos.workflow_input SET inputs = \'{"positionalArgs":[1,2,3],"namedArgs":{"z":1}}\''
        " WHERE workflow_uuid = %s"
    ),
    "100,000 deep": f"UPDATE dbos.workflow_input SET inputs = '{DEEP}' WHERE workflow_uuid = %s",
}
TEXTS = ("", " ", "x", "null", "[]", "{", "\u202e", "💥" * 50, "9" * 250, "a" * 255, "-1", "'; --")
NUMBERS = (0, -1, 1, 2**31 - 1, -(2**31))
LARGE = (*NUMBERS, 2**63 - 1, -(2**63))
COLUMNS: dict[str, tuple[Any, ...]] = {
    "name": TEXTS,
    "class_name": TEXTS,
    "config_name": TEXTS,
    "serialization": TEXTS,
    "authenticated_user": TEXTS,
    "authenticated_roles": TEXTS,
    "assumed_role": TEXTS,
    "application_version": TEXTS,
    "application_id": TEXTS,
    "executor_id": TEXTS,
    "owner_xid": TEXTS,
    "parent_workflow_id": TEXTS,
    "queue_partition_key": TEXTS,
    "recovery_attempts": (None, *LARGE),
    "priority": NUMBERS,
    "created_at": LARGE,
    "workflow_timeout_ms": (None, *LARGE),
    "workflow_deadline_epoch_ms": (None, *LARGE),
    "attributes": ("null", "[]", '"x"', "1", '{"a": {}}', "[[[]]]"),
}


def test_nine_kinds_of_row_block_nobody(fleet: Fleet, table: Table) -> None:
    """On a queue of one: a good workflow behind them runs, and none of them is still PENDING."""
    with fleet.client() as client:
        for kind, damage in KINDS.items():
            fleet.ask_with(client, "ladder", 1, id=kind)
            fleet.rows(damage.encode(), kind)
        fleet.ask_with(client, "ladder", id="good")
        worker = fleet.launch(queues={"q": 1})
        fleet.see("good", timeout=20)
    fleet.until(lambda: "PENDING" not in statuses(fleet).values(), 5)
    found = statuses(fleet)
    ended = [kind for kind in KINDS if found[kind] == "ERROR"]
    waiting = [kind for kind in KINDS if found[kind] == "ENQUEUED"]
    table.add(
        14,
        "nine kinds of row that nobody can start, on a queue of one",
        goal="0 of 9 block: claimed only where known, the rest end with a reason",
        figures=f"0 block: {len(ended)} end in ERROR, {len(waiting)} wait unclaimed ({', '.join(waiting)})",
    )
    assert worker.lives
    assert set(waiting) <= {"unknown function", "unknown serialization", "unregistered class"}
    reasons = fleet.rows(
        "SELECT workflow_uuid FROM dbos.workflow_output WHERE error IS NULL AND workflow_uuid = ANY (%s)",
        ended,
    )
    assert reasons == []


def test_every_column_fuzzed(fleet: Fleet, is_full: bool, first_seed: int, table: Table) -> None:
    """One or two columns of each row hold what no client writes; good work goes on beside them."""
    count = 10_000 if is_full else 400
    chance = random.Random(first_seed)
    with fleet.client() as client:
        for number in range(count):
            fleet.ask_with(client, "ladder", 1, id=f"f{number}")
            for column in chance.sample(sorted(COLUMNS), chance.choice((1, 2))):
                cast = "::jsonb" if column == "attributes" else ""
                damage = f"UPDATE dbos.workflow_status SET {column} = %s{cast} WHERE workflow_uuid = %s"
                fleet.rows(damage.encode(), chance.choice(COLUMNS[column]), f"f{number}")
        fleet.ask_with(client, "ladder", id="good")
        worker = fleet.launch()
        seconds = fleet.until(lambda: statuses(fleet)["good"] == "SUCCESS", 10)
    fleet.until(lambda: "PENDING" not in statuses(fleet).values(), 30)
    ends: dict[str, int] = {}
    for status in statuses(fleet).values():
        ends[status] = ends.get(status, 0) + 1
    table.add(
        14,
        "every column fuzzed",
        goal="0 block",
        figures=f"{count} rows, seed {first_seed}: {dict(sorted(ends.items()))}, none PENDING; good work "
        f"behind them took {seconds:.1f} s",
    )
    assert worker.lives
    assert ends["SUCCESS"] > count / 10
    assert history.check(history.read(fleet.url, fleet.ledger.events())).bad == []


def statuses(fleet: Fleet) -> dict[str, str]:
    """The status of every workflow."""
    return dict(fleet.rows("SELECT workflow_uuid, status FROM dbos.workflow_status"))
