"""Logging in and out, where people have accounts."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.console import words
from durably.console.accounts import Accounts, TooManyAttempts, accounts_of
from durably.console.visit import Visit, action, page

__all__ = ["PAGES", "inside"]


@page("/login", public=True)
async def login(visit: Visit) -> Response:
    """The form."""
    _accounts(visit)
    return _form(visit, to=visit.query.get("next", "/"))


@action("/login", role="viewer", public=True)
async def log_in(visit: Visit) -> Response:
    """Begin a session, and go where the person wanted to be."""
    accounts = _accounts(visit)
    form = await visit.form()
    name, password, to = (str(form.get(field, "")) for field in ("name", "password", "next"))
    try:
        token = await accounts.log_in(visit.request, name, password)
    except TooManyAttempts as many:
        wait = words.duration(many.seconds * 1000)
        response = _form(
            visit, to=to, name=name, status=429, wrong=f"Too many attempts. Try again in {wait}."
        )
        response.headers["Retry-After"] = str(round(many.seconds) + 1)
        return response
    if token is None:
        return _form(visit, to=to, name=name, status=401, wrong="Name or password are wrong.")
    response = visit.go(inside(to))
    accounts.keep(visit.request, response, token)
    return response


@action("/logout", role="viewer")
async def log_out(visit: Visit) -> Response:
    """End the session."""
    response = visit.go("/login")
    await _accounts(visit).log_out(visit.request, response)
    return response


def inside(path: str) -> str:
    """The path if it leads into the console, else its first page: nobody is sent elsewhere after a login."""
    is_path = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_path else "/"


def _accounts(visit: Visit) -> Accounts:
    accounts = accounts_of(visit.access)
    if accounts is None:
        raise HTTPException(404, "nobody logs in here")
    return accounts


def _form(visit: Visit, *, to: str, name: str = "", status: int = 200, wrong: str | None = None) -> Response:
    return visit.render("login.html", status=status, to=inside(to), name=name[:200], wrong=wrong)


PAGES = (login, log_in, log_out)
