"""The web console: what the system database shows of its workflows, and what operators do with them.

It reads the database alone, through the client: it works on any DBOS system database, with every worker down.
`durably console` serves it; an application mounts it with one line:

    app.mount("/durably", Console(database_url))

Pages are rendered here (Jinja2), and server-sent events keep them true (`live`). The browser gets
text in templates that escape, under a policy that forbids scripts other than ours (`guard`).

    browser --> guard (headers, origin, token) --> access (who, which role) --> a page --> the client
                                                                                 |--> templates, charts
"""

from __future__ import annotations

from durably.console.access import Access, Open, ReadOnly, Role, User
from durably.console.accounts import Accounts
from durably.console.api import Api
from durably.console.app import Console

__all__ = ["Access", "Accounts", "Api", "Console", "Open", "ReadOnly", "Role", "User"]
