"""Start a run: which workflow, with what, how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from durably.console.views import forms
from durably.console.visit import Visit, action, page
from durably.core.names import INTERNAL_QUEUE
from durably.errors import CodecError, InvalidOption, WorkflowError
from durably.types import EnqueueOptions, KnownWorkflow, WorkflowStatus

__all__ = ["PAGES"]

TEXTS = (
    "workflow_class_name", "instance_name", "workflow_id", "queue_partition_key", "deduplication_id",
    "app_version", "application_name", "authenticated_user",
)  # fmt: skip
NUMBERS = ("priority", "delay", "timeout")


@page("/start", role="operator")
async def start(visit: Visit) -> Response:
    """Which workflow; then its form."""
    if like := visit.query.get("like"):
        run = await visit.client.get_workflow(like)
        return await _form(visit, _like(visit, run), like=like)
    given = dict(visit.query)
    if not given.get("workflow_name"):
        return visit.render("start/choose.html", known=await visit.client.list_known_workflows())
    return await _form(visit, given)


@action("/start")
async def enqueue(visit: Visit) -> Response:
    """Check everything, and enqueue it."""
    given = {field: str(value) for field, value in (await visit.form()).items()}
    known = await _known(visit, given)
    try:
        args, kwargs = _arguments(known, given)
        options = _options(given)
        handle = await visit.act(
            "enqueue",
            "workflow",
            options.workflow_id or options.workflow_name,
            lambda: visit.client.enqueue(options, *args, **kwargs),
            detail={"workflow": options.workflow_name, "queue": options.queue_name},
            did=lambda made: f"as {made.workflow_id}",
        )
    except (InvalidOption, CodecError, WorkflowError, forms.Wrong) as error:
        return await _form(visit, given, error=error)
    return visit.go(f"/run?{urlencode({'id': handle.workflow_id})}", say=f"Started {handle.workflow_id}.")


async def _form(
    visit: Visit, given: Mapping[str, str], *, like: str = "", error: Exception | None = None
) -> Response:
    known = await _known(visit, given)
    wrong = error.option if isinstance(error, InvalidOption) else ""
    return visit.render(
        "start/form.html",
        status=200 if error is None else 400,
        known=known,
        fields=_fields(known, given),
        values={"queue_name": (known.queue_name if known else None) or "", **given},
        queues=[queue.name for queue in await visit.client.list_queues()],
        like=like,
        error=error,
        wrong=wrong.partition("[")[0],
        wrong_field=error.name if isinstance(error, forms.Wrong) else "",
    )


async def _known(visit: Visit, given: Mapping[str, str]) -> KnownWorkflow | None:
    """The workflow as the database knows it: of this class, if one is named."""
    name, class_name = given.get("workflow_name"), given.get("workflow_class_name") or None
    found = [each for each in await visit.client.list_known_workflows() if each.name == name]
    exact = [each for each in found if each.class_name == class_name]
    return next(iter(exact or [each for each in found if class_name is None]), None)


def _fields(known: KnownWorkflow | None, given: Mapping[str, str]) -> list[forms.Field]:
    """The fields of its signature; none where it is unknown, or plain JSON is wanted."""
    if known is None or known.parameters is None or given.get("as_json"):
        return []
    return forms.fields(known.parameters)


def _arguments(known: KnownWorkflow | None, given: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    if fields := _fields(known, given):
        return forms.arguments(fields, given)
    if known is not None and known.parameters == {"parameters": []} and not given.get("as_json"):
        return [], {}
    args, kwargs = _json("args", given, "[]"), _json("kwargs", given, "{}")
    if not isinstance(args, list):
        raise InvalidOption("args", args, "a JSON array: the arguments by position")
    if not isinstance(kwargs, dict):
        raise InvalidOption("kwargs", kwargs, "a JSON object: the arguments by name")
    return args, kwargs


def _options(given: Mapping[str, str]) -> EnqueueOptions[..., Any]:
    texts = {field: given.get(field, "").strip() or None for field in TEXTS}
    numbers = {field: _number(field, given) for field in NUMBERS}
    attributes = _json("attributes", given, "null")
    return EnqueueOptions(
        workflow_name=given.get("workflow_name", ""),
        queue_name=given.get("queue_name", "").strip() or INTERNAL_QUEUE,
        workflow_id_reuse_policy="reject",
        attributes=attributes,
        **texts,  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
    )


def _number(option: str, given: Mapping[str, str]) -> float | None:
    text = given.get(option, "").strip()
    if not text:
        return None
    try:
        return int(text) if option == "priority" else float(text)
    except ValueError:
        what = "a whole number" if option == "priority" else "a number of seconds"
        raise InvalidOption(option, text, what) from None


def _json(option: str, given: Mapping[str, str], default: str) -> Any:
    text = given.get(option, "").strip()
    try:
        return json.loads(text or default)
    except ValueError as error:
        raise InvalidOption(option, text, f"it is not JSON: {error}") from None


def _like(visit: Visit, run: WorkflowStatus) -> dict[str, str]:
    """The form as it would start a run again: all but its id, and what can be shown of its arguments."""
    shown = {
        "workflow_name": run.name,
        "workflow_class_name": run.class_name,
        "instance_name": run.config_name,
        "queue_name": run.queue_name,
        "queue_partition_key": run.queue_partition_key,
        "application_name": run.application_name,
        "authenticated_user": run.authenticated_user,
        "priority": str(run.priority) if run.priority else None,
        "timeout": f"{run.workflow_timeout_ms / 1000:g}" if run.workflow_timeout_ms else None,
        "attributes": json.dumps(dict(run.attributes), ensure_ascii=False) if run.attributes else None,
        "as_json": "1",
    }
    if visit.user.sees_payloads and isinstance(run.input, dict):
        shown["args"] = _text(list(run.input.get("args", ())))
        shown["kwargs"] = _text(run.input.get("kwargs") or {})
    return {field: text for field, text in shown.items() if text}


def _text(value: Any) -> str:
    """JSON, or nothing for what JSON cannot say."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2)
    except (TypeError, ValueError):
        return ""


PAGES = (start, enqueue)
