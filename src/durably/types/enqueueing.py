"""What is asked of a workflow that is enqueued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from typing_extensions import ParamSpec, TypeVar

from durably.types.aliases import DuplicationPolicy, Seconds, WorkflowIdReusePolicy

__all__ = [
    "Arguments",
    "Debounce",
    "EnqueueOptions",
]


P = ParamSpec("P", default=...)
R_co = TypeVar("R_co", covariant=True, default=Any)


@dataclass(frozen=True, kw_only=True)
class EnqueueOptions(Generic[P, R_co]):
    """Which workflow to enqueue, where, and how.

    Only `workflow_name` and `queue_name` are required. `workflow_id` left out means a new UUID;
    `app_version` left out means whichever version runs. `timeout` and `delay` are seconds or `timedelta`.
    `priority` runs from 1 to 2**31 - 1, lower first; left out it is 0, before every explicit one.
    `workflow_id_reuse_policy` says what to do where the id is in use by a workflow of the same name: return
    it, and warn with ArgumentsIgnored if its arguments are others (None); return it ("return-existing");
    raise WorkflowIdInUse ("reject").

        EnqueueOptions(workflow_name="purchaseTicket", workflow_class_name="DBOSTicketAuthority",
                       queue_name="ticketQueue", workflow_id="order-17", timeout=60)
    """

    workflow_name: str
    queue_name: str
    workflow_class_name: str | None = None
    instance_name: str | None = None
    max_recovery_attempts: int = 50
    app_version: str | None = None
    workflow_id: str | None = None
    workflow_id_reuse_policy: WorkflowIdReusePolicy | None = None
    timeout: Seconds | None = None
    delay: Seconds | None = None
    deduplication_id: str | None = None
    duplication_policy: DuplicationPolicy = "reject"
    priority: int | None = None
    queue_partition_key: str | None = None
    authenticated_user: str | None = None
    authenticated_roles: Sequence[str] = ()
    assumed_role: str | None = None
    attributes: Mapping[str, Any] | None = None
    application_name: str | None = None
    serialization: str | None = None
    result_type: Any = field(default=Any, repr=False)

    if TYPE_CHECKING:  # what the dataclass makes; `self` tells pyright that options alone know no parameters

        def __init__(
            self: EnqueueOptions[..., Any],
            *,
            workflow_name: str,
            queue_name: str,
            workflow_class_name: str | None = None,
            instance_name: str | None = None,
            max_recovery_attempts: int = 50,
            app_version: str | None = None,
            workflow_id: str | None = None,
            workflow_id_reuse_policy: WorkflowIdReusePolicy | None = None,
            timeout: Seconds | None = None,
            delay: Seconds | None = None,
            deduplication_id: str | None = None,
            duplication_policy: DuplicationPolicy = "reject",
            priority: int | None = None,
            queue_partition_key: str | None = None,
            authenticated_user: str | None = None,
            authenticated_roles: Sequence[str] = (),
            assumed_role: str | None = None,
            attributes: Mapping[str, Any] | None = None,
            application_name: str | None = None,
            serialization: str | None = None,
            result_type: Any = Any,
        ) -> None: ...


class Arguments(NamedTuple):
    """The arguments of a workflow: positional ones, named ones.

    A workflow of this application, or one that is declared, makes them typed: `workflow.arguments(...)`.

        Arguments(("Stonebraker", ["a1"]), {"date": date})
    """

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    parameters: Any = None


@dataclass(frozen=True)
class Debounce:
    """Start once, `period` seconds after the last call of a key, at most `timeout` seconds after the first.

    Debounce("page-7", period=5, timeout=60)
    """

    key: str
    period: Seconds
    timeout: Seconds | None = None
