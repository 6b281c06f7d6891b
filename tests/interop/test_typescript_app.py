"""Our client drives a real DBOS application written in TypeScript (`@dbos-inc/dbos-sdk`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from durably import DBOSClient, errors
from tests.interop import harness
from tests.interop.application_suite import (
    DATE,
    VALUE,
    AnyApplication,
    NewId,
    TicketInfo,
    authority,
    interop,
    purchase_ticket,
    ticket,
)
from tests.interop.conftest import Place

NATIVE = "js_superjson"


@pytest.fixture(scope="module")
def peer(place: Place, start: Callable[[Callable[[], harness.Process]], harness.Process]) -> harness.Process:
    return start(
        lambda: harness.typescript_app(place.system_url, APP_NAME="tickets-ts", EXECUTOR_ID="peer-1")
    )


@pytest.mark.usefixtures("show_log")
class TestTypeScript(AnyApplication):
    application_name = "tickets-ts"
    first_step = 0
    date_type = "string"
    plain_error = "Error"

    def check_payloads(self, steps: Sequence[Any]) -> None:
        assert [step.output for step in steps[:5]] == [2, 4, 6, None, None]
        error = steps[3].error
        assert "caught by the parent" in str(error)
        assert getattr(error, "name", type(error).__name__) == "TypeError"

    def test_a_step_that_names_no_format_is_read(self, client: DBOSClient, new_id: NewId) -> None:
        """TypeScript leaves the format of a `DBOS.getResult` row out; the text has superjson's marker."""
        wid = new_id("parent")
        client.enqueue(interop("parent", workflow_id=wid), 3).get_result(timeout=20)
        result = client.list_workflow_steps(wid)[5]
        assert (result.function_name, result.serialization) == ("DBOS.getResult", None)
        assert result.output == 6

    # --- its native format -----------------------------------------------------------------------------

    def test_a_date_arrives_as_a_date(self, client: DBOSClient, new_id: NewId) -> None:
        tid = new_id("ticket")
        client.enqueue(ticket(tid, serialization=NATIVE), "Native", ["a1", "a2"], DATE)
        assert client.get_event(tid, "status", timeout_seconds=20) == {"stage": "charged"}
        client.send(tid, {"ok": True}, topic="approval")
        assert client.retrieve_workflow(tid, purchase_ticket).get_result(timeout=20) == TicketInfo(
            tid, "Native", ["a1", "a2"], DATE, 50, "Date", {"ok": True}
        )
        assert client.get_event(tid, "status") == {"stage": "done"}
        assert client.retrieve_workflow(tid).get_status().serialization == NATIVE

    def test_native_values_survive_the_way(self, client: DBOSClient) -> None:
        value = {**VALUE, "when": DATE, "big": 2**70, "set": {"a", "b"}, "nan": -math.inf}
        result = client.enqueue(interop("echo", serialization=NATIVE), value).get_result(timeout=20)
        assert result == value

    def test_native_values_that_json_lacks(self, client: DBOSClient) -> None:
        result = client.enqueue(interop("rich", serialization=NATIVE)).get_result(timeout=20)
        assert math.isnan(result.pop("nan"))
        assert bytes(result.pop("bytes")) == b"\x00\x01\xff"
        assert result.pop("missing", None) is None
        assert result == {
            "date": datetime(2025, 5, 1, 12, 30, 0, 250_000, tzinfo=UTC),
            "set": {"a", "b"},
            "map": {"k": 1},
            "bigint": 12345678901234567890,
            "nested": [{"when": datetime(2024, 2, 29, tzinfo=UTC)}],
        }

    def test_a_native_error_arrives_whole(self, client: DBOSClient) -> None:
        handle = client.enqueue(authority("failPurchase", serialization=NATIVE), ["a1"])
        with pytest.raises(errors.WorkflowFailed) as caught:
            handle.get_result(timeout=20)
        error = caught.value
        assert (error.name, error.message) == ("SoldOutError", "sold out: a1")
        assert (error.code, error.data) == (409, {"seats": ["a1"]})
