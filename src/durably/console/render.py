"""Templates, and what all of them know: the user, the paths, figures and states as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

import jinja2
from starlette.responses import HTMLResponse, Response

from durably.console import words
from durably.console.accounts import accounts_of
from durably.console.guard import CSRF_FIELD, csrf_token, keep_token

if TYPE_CHECKING:
    from durably.console.visit import Visit

__all__ = ["Templates"]

HERE = Path(__file__).parent / "templates"
THEMES = ("light", "dark")


class Templates:
    """The console's templates, compiled once."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(words.FILTERS)

    def response(
        self, visit: Visit, template: str, context: Mapping[str, Any], *, status: int, only_live: bool
    ) -> Response:
        """The page as HTML."""
        everything = self._common(visit) | dict(context)
        everything["ui"] = self._environment.get_template("parts/macros.html").make_module(everything)
        compiled = self._environment.get_template(template)
        if only_live:
            block = compiled.blocks["live"]
            html = "".join(block(compiled.new_context(everything)))
        else:
            html = compiled.render(everything)
        response = HTMLResponse(html, status)
        keep_token(visit.request, response)
        if "durably_said" in visit.request.cookies and not only_live:
            response.delete_cookie("durably_said", path=visit.base or "/")
        return response

    def _common(self, visit: Visit) -> dict[str, Any]:
        request = visit.request
        theme = request.cookies.get("durably_theme")
        return {
            "base": visit.base,
            "path": request.url.path.removeprefix(visit.base) or "/",
            "query": dict(request.query_params),
            "here": _here(visit),
            "is_live": request.method == "GET",  # what an action says is not to be shown again
            "user": visit.user,
            "may": visit.may,
            "logs_in": accounts_of(visit.access) is not None,
            "csrf": csrf_token(request),
            "csrf_field": CSRF_FIELD,
            "said": unquote(request.cookies.get("durably_said", "")),
            "theme": theme if theme in THEMES else None,
            "link": _link(request.url.path, dict(request.query_params)),
        }


def _here(visit: Visit) -> str:
    """The path and query of the page below the console's base."""
    url = visit.request.url
    path = url.path.removeprefix(visit.base) or "/"
    return f"{path}?{url.query}" if url.query else path


def _link(path: str, query: dict[str, str]) -> Callable[..., str]:
    """Makes the URL of this page with other parameters; None takes one away."""

    def link(**changes: Any) -> str:
        kept = {**query, **{name: str(value) for name, value in changes.items() if value is not None}}
        left = {name: value for name, value in kept.items() if changes.get(name, value) is not None}
        return f"{path}?{urlencode(left)}" if left else path

    return link
