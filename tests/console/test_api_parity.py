"""What the client does, the API does; what it does not, it has a reason for."""

from __future__ import annotations

import inspect

from durably import AsyncDBOSClient
from durably.console.api.table import ROUTES

NO_ROUTE = {
    "create": "a console has one client",
    "destroy": "a console has one client",
    "schema": "a property of the console's client",
    "application_name": "a property of the console's client",
    **dict.fromkeys(
        ("create_account", "get_account", "list_accounts", "update_account"),
        "passwords are typed at a terminal (durably account), and do not travel in requests",
    ),
    **dict.fromkeys(
        ("log_in", "log_out", "account_of_session", "token_of_secret"),
        "what the console and the API do with whoever comes",
    ),
    **dict.fromkeys(
        ("activity", "count_statuses", "get_overview", "search_workflows", "workflows_by_id_prefix"),
        "they make the console's pages, in words and bounds of a page; /workflows, /workflows/count and "
        "/workflows/by-status tell programs the same",
    ),
    **dict.fromkeys(
        ("begin_audit", "end_audit", "keeps_audit"), "the API writes the audit itself, of what it does"
    ),
}


def test_every_verb_of_the_client_has_a_route_or_a_reason() -> None:
    verbs = {name for name, _ in inspect.getmembers(AsyncDBOSClient) if not name.startswith("_")}
    routed = {verb for route in ROUTES for verb in route.verbs}
    assert routed <= verbs
    assert sorted(verbs - routed) == sorted(NO_ROUTE)
