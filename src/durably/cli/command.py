"""What every command has: parameters that are dataclasses become options, and errors become exit codes.

    @app.command("cancel")
    @command
    def cancel_workflow(workflow_id: Argument, session: Session) -> None: ...

has the argument, and one option for each field of `Session`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, get_type_hints

import typer

from durably.cli import failures
from durably.cli.output import Form

__all__ = ["PANEL", "Session", "command"]

PANEL = "Connection and output"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Which database, and how to answer: the options that every command has."""

    database_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=PANEL,
            help="The application database; its system database is beside it, <name>_dbos_sys. "
            "Otherwise DURABLY_DATABASE_URL, otherwise the embedded server of ./.durably.",
        ),
    ] = None
    system_database: Annotated[
        str | None,
        typer.Option(metavar="NAME", rich_help_panel=PANEL, help="The system database, if named otherwise."),
    ] = None
    system_database_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=PANEL,
            help="The system database outright. Otherwise DURABLY_SYSTEM_DATABASE_URL.",
        ),
    ] = None
    schema: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=PANEL, help="The schema of DBOS's tables.")
    ] = "dbos"
    application_name: Annotated[
        str | None,
        typer.Option(
            "--application-name",
            "--app",
            metavar="NAME",
            rich_help_panel=PANEL,
            help="The application; on the embedded server it also names the database.",
        ),
    ] = None
    allow_serializations: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-serialization",
            metavar="FORMAT",
            rich_help_panel=PANEL,
            help="Read payloads of this format too. py_pickle runs code of whoever wrote them.",
        ),
    ] = None
    chosen_form: Annotated[
        Form | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FORM",
            rich_help_panel=PANEL,
            help="table (to a pipe: separated by tabs), json, jsonl (one document a line), or ids.",
            show_default="table",
        ),
    ] = None
    json: Annotated[bool, typer.Option("--json", rich_help_panel=PANEL, help="The same as -o json.")] = False
    debug: Annotated[
        bool, typer.Option("--debug", rich_help_panel=PANEL, help="Show the traceback of an error.")
    ] = False

    @property
    def form(self) -> Form:
        """How to answer."""
        if self.json and self.chosen_form not in (None, Form.json):
            raise failures.UsageError(f"--json and -o {self.chosen_form.value} say different things")
        return Form.json if self.json else self.chosen_form or Form.table

    @property
    def as_json(self) -> bool:
        """Whether to answer with one JSON document."""
        return self.form in (Form.json, Form.jsonl)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The function as a command; see above."""
    signature = inspect.signature(function, eval_str=True)
    groups: dict[str, Any] = {
        p.name: p.annotation for p in signature.parameters.values() if is_dataclass(p.annotation)
    }

    @functools.wraps(function)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        _run(function, values)

    _set_parameters(run, [p for q in signature.parameters.values() for p in _expanded(q)])
    return run


def _run(function: Callable[..., None], values: dict[str, Any]) -> None:
    session = values.get("session")
    try:
        function(**values)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, (BrokenPipeError, typer.Exit)) or _is_misuse(error):
            raise
        failures.give_up(error, debug=isinstance(session, Session) and session.debug)


def _is_misuse(error: BaseException) -> bool:
    return isinstance(error, typer.BadParameter)


def _expanded(parameter: Parameter) -> list[Parameter]:
    """The parameter, or the fields of the dataclass that it is."""
    if not is_dataclass(parameter.annotation):
        return [parameter.replace(kind=Parameter.KEYWORD_ONLY)]
    hints = get_type_hints(parameter.annotation, include_extras=True)
    return [
        Parameter(field.name, Parameter.KEYWORD_ONLY, annotation=hints[field.name], default=_default(field))
        for field in fields(parameter.annotation)
    ]


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default


def _set_parameters(function: Callable[..., None], parameters: list[Parameter]) -> None:
    """Typer reads the signature and the annotations, so both say the same."""
    function.__signature__ = Signature(parameters, return_annotation=None)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del function.__wrapped__  # type: ignore[attr-defined]
