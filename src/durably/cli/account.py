"""`durably account` and `durably token`: who may use the console, and which programs its HTTP API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import auditing, connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.types import ROLES, Account, ApiToken, Role

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["app", "tokens"]

app = typer.Typer(no_args_is_help=True, help="Accounts of the console: who may log in, and do what.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP API: which programs may call it.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose account.")]
WhichRole = Annotated[
    Role, typer.Option("--role", help="viewer: looks; operator: acts; admin: deletes, manages accounts.")
]
Hidden = Annotated[
    bool, typer.Option("--no-payloads", help="Hide inputs, outputs, messages and errors from them.")
]
DAY = 86_400.0  # seconds


@app.command()
@command
def add(name: Name, session: Session, role: WhichRole = "viewer", no_payloads: Hidden = False) -> None:
    """Create an account. The password is asked for, or read from standard input.

    Example: durably account add ada --role operator
    """
    password = _password()
    with _acting(session, "create", "account", name, role=role) as client:
        made = client.create_account(name, password=password, role=role, sees_payloads=not no_payloads)
    _say(session, made, f"{made.name} may log in as {made.role}")


@app.command("list")
@command
def list_accounts(session: Session) -> None:
    """List the accounts.

    Example: durably account list
    """
    with connection.client(session) as client:
        found = client.list_accounts()
    if session.as_json:
        output.print_json(found)
        return
    columns = ("name", "role", "payloads", "created_at", "state")
    output.print_table(
        columns, map(_account_row, found), empty="nobody has an account: durably account add NAME"
    )


@app.command("set-role")
@command
def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help=f"One of {', '.join(ROLES)}.")],
    session: Session,
    payloads: Annotated[
        bool | None, typer.Option("--payloads/--no-payloads", help="Show payloads, or hide them.")
    ] = None,
) -> None:
    """Give an account another role; it holds at once, wherever the person is logged in.

    Example: durably account set-role ada viewer --no-payloads
    """
    with _acting(session, "set role", "account", name, role=role) as client:
        changed = client.update_account(name, role=role, sees_payloads=payloads)
    _say(session, changed, f"{changed.name} is {changed.role}")


@app.command()
@command
def password(name: Name, session: Session) -> None:
    """Set another password, asked for or read from standard input; logs the person out everywhere.

    Example: durably account password ada
    """
    with connection.client(session) as client:
        client.get_account(name)
    chosen = _password()
    with _acting(session, "set password", "account", name) as client:
        changed = client.update_account(name, password=chosen)
    _say(session, changed, f"{changed.name} has another password, and is logged out")


@app.command()
@command
def disable(name: Name, session: Session) -> None:
    """Let somebody log in no more, and log the person out everywhere.

    Example: durably account disable ada
    """
    with _acting(session, "disable", "account", name) as client:
        changed = client.update_account(name, disabled=True)
    _say(session, changed, f"{changed.name} may not log in any more")


@app.command()
@command
def enable(name: Name, session: Session) -> None:
    """Let somebody log in again.

    Example: durably account enable ada
    """
    with _acting(session, "enable", "account", name) as client:
        changed = client.update_account(name, disabled=False)
    _say(session, changed, f"{changed.name} may log in again")


@tokens.command("create")
@command
def create_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for: others are shown it.")],
    session: Session,
    role: WhichRole = "viewer",
    no_payloads: Hidden = False,
    days: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Valid for so long; otherwise until revoked.")
    ] = None,
) -> None:
    """Create a token and print its secret, which is never shown again.

    Example: durably token create deploy --role operator --days 90
    """
    with _acting(session, "create", "token", name, role=role) as client:
        made = client.create_token(
            name,
            role=role,
            sees_payloads=not no_payloads,
            lasts=None if days is None else days * DAY,
            created_by=auditing.actor(),
        )
    if session.as_json:
        output.print_json(made)
        return
    print(made.secret)
    output.note(
        f"token {made.token.token_id} of {made.token.name}: this is the only time its secret is shown"
    )


@tokens.command("list")
@command
def list_tokens(session: Session) -> None:
    """List the tokens, without their secrets.

    Example: durably token list
    """
    with connection.client(session) as client:
        found = client.list_tokens()
    if session.as_json:
        output.print_json(found)
        return
    columns = ("token_id", "name", "role", "created_by", "expires_at", "last_used_at", "state")
    output.print_table(columns, map(_token_row, found), empty="there is no token: durably token create NAME")


@tokens.command("revoke")
@command
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `durably token list` shows it.")],
    session: Session,
) -> None:
    """Let a token be valid no more, at once.

    Example: durably token revoke tok-4f2a
    """
    with _acting(session, "revoke", "token", token_id) as client:
        was_valid = client.revoke_token(token_id)
    text = f"{token_id} is revoked" if was_valid else f"{token_id} was revoked already"
    _say(session, {"token_id": token_id, "was_valid": was_valid}, text)


@contextmanager
def _acting(session: Session, verb: str, kind: str, target: str, **detail: Any) -> Iterator[DBOSClient]:
    with connection.client(session) as client:
        with auditing.noted(client, verb, kind, target, **detail):
            yield client


def _password() -> str:
    """Never an argument: those are for all to see."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\n")
    if not given:
        raise UsageError("the password is the first line of standard input, and there was none")
    return given


def _account_row(account: Account) -> tuple[Any, ...]:
    payloads = "shown" if account.sees_payloads else "hidden"
    state = "disabled" if account.is_disabled else ""
    return account.name, account.role, payloads, output.clock(account.created_at), state


def _token_row(token: ApiToken) -> tuple[Any, ...]:
    dates = output.clock(token.expires_at), output.clock(token.last_used_at)
    return (
        token.token_id,
        token.name,
        token.role,
        token.created_by,
        *dates,
        "revoked" if token.is_revoked else "",
    )


def _say(session: Session, value: Any, text: str) -> None:
    if session.as_json:
        output.print_json(value)
    else:
        print(output.printable(text))
