"""What `@app.workflow` and `@app.step` make of a function: the same call, made durable.

Colour and signature stay the user's: an `async def` is awaited, a `def` blocks.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NoReturn, ParamSpec, TypeAlias, TypeVar, overload

from durably.client import AsyncWorkflowHandle, DBOSClient, WorkflowHandle
from durably.core import names, ops
from durably.core.ports import HistoryRow
from durably.core.records import Started
from durably.engine import performers, steps, transactions
from durably.engine.call import Call
from durably.engine.context import Frame, current_frame, current_run
from durably.engine.registry import DEFINITION, StepDefinition, WorkflowDefinition
from durably.engine.transactions import TransactionDefinition
from durably.errors import ConfigurationError, WrongContext
from durably.handles import AsyncRunHandle, RunHandle
from durably.types import Arguments, Debounce, EnqueueOptions

if TYPE_CHECKING:
    from durably.app import App
    from durably.engine.run import Run

__all__ = [
    "AsyncWorkflow",
    "BlockingWorkflow",
    "WorkflowDecorator",
    "step_function",
    "transaction_function",
    "workflow_methods",
]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")

DEBOUNCED = (
    "workflow_id",
    "workflow_id_reuse_policy",
    "app_version",
    "timeout",
    "delay",
    "priority",
    "deduplication_id",
    "duplication_policy",
    "queue_partition_key",
    "authenticated_user",
    "assumed_role",
    "attributes",
)

Numbered: TypeAlias = tuple[
    int, HistoryRow | None
]  # the number of an operation, and its record if it has one


class _Workflow(Generic[P, R]):
    """A workflow of an application, with the options of its next start."""

    def __init__(self, app: App, definition: WorkflowDefinition, call: Call | None = None) -> None:
        wrapped: Any = self
        functools.update_wrapper(wrapped, definition.function)
        self._app = app
        self._call = call or Call()
        self._bound: dict[int, Any] = {}  # by the id of a configured instance, which is kept alive by it
        self.definition: WorkflowDefinition = definition

    @property
    def name(self) -> str:
        """The name under which the workflow is registered."""
        return self.definition.name

    def __set_name__(self, owner: type, name: str) -> None:
        """A class method is registered when there is the class."""
        if self.definition.takes_class:
            self.definition = self.definition.bound(owner)
            self._app._declared.registry.add(self.definition)

    def bind(self, instance: object, config_name: str) -> WorkflowDefinition:
        """The workflow of a configured instance, which is what its method means from now on."""
        definition = self.definition.bound(instance, config_name)
        self._bound[id(instance)] = type(self)(self._app, definition, self._call)
        return definition

    def _of(self, instance: object) -> Any:
        """What the name of a method means, looked up in an instance."""
        if instance is None or not self.definition.takes_self:
            return self
        try:
            return self._bound[id(instance)]
        except KeyError:
            kind = type(instance).__name__
            raise ConfigurationError(
                f"workflow {self.name!r} is a method, and this {kind} has no name by which another process "
                f"finds its own: make it with app.register_instance('some-name', {kind}(...))"
            ) from None

    def arguments(self, *args: P.args, **kwargs: P.kwargs) -> Arguments:
        """Its arguments, for a fork or a rewind with others.

        app.client.fork_workflow("order-17", arguments=purchase_ticket.arguments("Stonebraker"))
        """
        return Arguments(args, kwargs, self.definition.parameters)

    def continue_as_new(self, *args: P.args, **kwargs: P.kwargs) -> NoReturn:
        """End this run of the workflow and begin it anew at once: see `aio.continue_as_new`.

        poll.continue_as_new(cursor)
        """
        run = current_run()
        if run.definition.key != self.definition.key:
            raise WrongContext(
                f"workflow {run.definition.name!r} cannot go on as {self.name!r}: a workflow begins anew as "
                "itself; start the other one, as a child or on a queue"
            )
        run.continue_as_new(args, kwargs)

    def _start_operation(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ops.StartChild:
        return ops.StartChild(self.definition, args, kwargs, self._call)

    def _result_operation(self, workflow_id: str) -> ops.GetResult[Any]:
        return ops.GetResult(workflow_id, self.definition.parameters.result_type)

    def _debounced(self) -> EnqueueOptions[..., R]:
        call, definition = self._call, self.definition
        options: dict[str, Any] = {name: call.given(name) for name in DEBOUNCED}
        return EnqueueOptions(
            workflow_name=definition.name,
            workflow_class_name=definition.class_name,
            instance_name=definition.config_name,
            queue_name=call.queue_name or names.INTERNAL_QUEUE,
            serialization=call.serialization or definition.serialization,
            authenticated_roles=call.given("authenticated_roles") or (),
            result_type=definition.parameters.result_type,
            **options,
        )

    def _with(self, options: dict[str, Any]) -> Any:
        known = [field.name for field in fields(Call)]
        if unknown := options.keys() - known:
            raise TypeError(
                f"workflow {self.name!r} is started with {', '.join(known)}; "
                f"there is no {', '.join(sorted(unknown))}"
            )
        return type(self)(self._app, self.definition, replace(self._call, **options))


class AsyncWorkflow(_Workflow[P, R]):
    """An `async def` workflow.

    ticket = await purchase_ticket("Stonebraker", ["a1"], date)
    handle = await purchase_ticket.options(workflow_id="order-17").start("Stonebraker", ["a1"], date)
    """

    @overload
    def __get__(self, instance: None, owner: type) -> AsyncWorkflow[P, R]: ...

    @overload
    def __get__(
        self: AsyncWorkflow[Concatenate[S, Q], R], instance: S, owner: type[S]
    ) -> AsyncWorkflow[Q, R]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> AsyncWorkflow[P, R]: ...

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self._of(instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Run the workflow and wait for its result; inside a workflow, as its child."""
        here = _workflow_frame(self.name)
        if here is None:
            return self._run(args, kwargs)
        here.run.refuse_coroutine(self.name)
        operation = self._start_operation(args, kwargs)
        start, result = here.run.begin(operation.name), here.run.begin(names.GET_RESULT)
        return here.run.asked_for(self.name, self._child(here.run, operation, start, result))

    def options(self, **options: Any) -> AsyncWorkflow[P, R]:
        """The same workflow with other options for its next start: see `durably.engine.call.Call`.

        purchase_ticket.options(workflow_id="order-17", timeout=60)
        """
        workflow: AsyncWorkflow[P, R] = self._with(options)
        return workflow

    def start(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, AsyncRunHandle[R]]:
        """Start (or, with a `queue_name`, enqueue) the workflow; a handle to it.

        handle = await purchase_ticket.start("Stonebraker", ["a1"], date)
        """
        here = _workflow_frame(self.name)
        if here is None:
            return self._start(args, kwargs)
        start = here.run.perform(self._start_operation(args, kwargs))
        return here.run.asked_for(self.name, self._start_child(start))

    def debounce(
        self, debounce: Debounce, /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[R]]:
        """Start the workflow when no call of this key has come for a period: see `client.debounce`.

        handle = await index.debounce(Debounce("page-7", period=5), "page-7")
        """
        return self._app.client.debounce(self._debounced(), debounce, *args, **kwargs)

    async def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        return await (await self._start(args, kwargs)).get_result()

    async def _start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncRunHandle[R]:
        started = await self._app._start(self.definition, args, kwargs, self._call)
        return self._handle(started.workflow_id, started)

    async def _child(self, run: Run, operation: ops.StartChild, start: Numbered, result: Numbered) -> R:
        workflow_id = await performers.perform(run, *start, operation)
        outcome: R = await performers.perform(run, *result, self._result_operation(workflow_id))
        return outcome

    async def _start_child(self, start: Coroutine[Any, Any, str]) -> AsyncRunHandle[R]:
        return self._handle(await start)

    def _handle(self, workflow_id: str, started: Started | None = None) -> AsyncRunHandle[R]:
        result_type = self.definition.parameters.result_type
        handle: AsyncRunHandle[R] = AsyncRunHandle(self._app, workflow_id, result_type)
        handle._started = started
        return handle


class BlockingWorkflow(_Workflow[P, R]):
    """A `def` workflow; see AsyncWorkflow.

    ticket = purchase_ticket("Stonebraker", ["a1"], date)
    """

    @overload
    def __get__(self, instance: None, owner: type) -> BlockingWorkflow[P, R]: ...

    @overload
    def __get__(
        self: BlockingWorkflow[Concatenate[S, Q], R], instance: S, owner: type[S]
    ) -> BlockingWorkflow[Q, R]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> BlockingWorkflow[P, R]: ...

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self._of(instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the workflow and wait for its result; inside a workflow, as its child."""
        here = _workflow_frame(self.name)
        if here is None:
            return self.start(*args, **kwargs).get_result()
        workflow_id = here.run.perform_blocking(self._start_operation(args, kwargs))
        result: R = here.run.perform_blocking(self._result_operation(workflow_id))
        return result

    def options(self, **options: Any) -> BlockingWorkflow[P, R]:
        """The same workflow with other options for its next start."""
        workflow: BlockingWorkflow[P, R] = self._with(options)
        return workflow

    def start(self, *args: P.args, **kwargs: P.kwargs) -> RunHandle[R]:
        """Start (or, with a `queue_name`, enqueue) the workflow; a handle to it.

        handle = purchase_ticket.start("Stonebraker", ["a1"], date)
        """
        here = _workflow_frame(self.name)
        if here is not None:
            return self._handle(here.run.perform_blocking(self._start_operation(args, kwargs)))
        started = self._app._start_blocking(self.definition, args, kwargs, self._call)
        return self._handle(started.workflow_id, started)

    def debounce(self, debounce: Debounce, /, *args: P.args, **kwargs: P.kwargs) -> WorkflowHandle[R]:
        """Start the workflow when no call of this key has come for a period: see `client.debounce`.

        handle = index.debounce(Debounce("page-7", period=5), "page-7")
        """
        client = DBOSClient(self._app.client, self._app._calls())
        return client.debounce(self._debounced(), debounce, *args, **kwargs)

    def _handle(self, workflow_id: str, started: Started | None = None) -> RunHandle[R]:
        twin: AsyncRunHandle[R] = AsyncRunHandle(
            self._app, workflow_id, self.definition.parameters.result_type
        )
        twin._started = started
        return RunHandle(twin, self._app._calls())


if TYPE_CHECKING:  # what a class method's decorators give: bound already, whatever it is looked up in

    class AsyncClassWorkflow(AsyncWorkflow[P, R]):
        """An `async def` class method."""

        def __get__(self, instance: object, owner: type | None = None) -> AsyncWorkflow[P, R]: ...

    class BlockingClassWorkflow(BlockingWorkflow[P, R]):
        """A `def` class method."""

        def __get__(self, instance: object, owner: type | None = None) -> BlockingWorkflow[P, R]: ...


def _workflow_frame(name: str) -> Frame | None:
    """Where the caller is; a step cannot start a workflow durably."""
    here = current_frame()
    if here is not None and here.step:
        raise WrongContext(
            f"workflow {name!r} cannot be started inside a step: a step is one outcome. Start it from the "
            "workflow, before or after the step"
        )
    return here


def workflow_methods(app: App, instance: object) -> list[_Workflow[..., Any]]:
    """The workflows of an application that are methods of an instance."""
    return [
        attribute
        for kind in type(instance).__mro__
        for attribute in vars(kind).values()
        if isinstance(attribute, _Workflow) and attribute._app is app and attribute.definition.takes_self
    ]


def step_function(definition: StepDefinition) -> Callable[..., Any]:
    """The function that a step's name is bound to: durable in a workflow, a plain call elsewhere."""
    return _async_step(definition) if definition.is_async else _blocking_step(definition)


def _async_step(step: StepDefinition) -> Callable[..., Any]:
    @functools.wraps(step.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        here = current_frame()
        if here is None or here.step:
            return step.function(*args, **kwargs)
        return here.run.perform(step.operation(args, kwargs))

    return _known(call, step)


def _blocking_step(step: StepDefinition) -> Callable[..., Any]:
    @functools.wraps(step.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        here = current_frame()
        if here is None or here.step:
            return step.function(*args, **kwargs)
        if here.run.definition.is_async:
            raise WrongContext(
                f"step {step.name!r} blocks, and its workflow is async: make the step `async def`, or run it "
                f"on a thread with `await aio.run_step({step.name!r}, ...)`"
            )
        number, row = here.run.begin(step.name)
        return steps.run_blocking_step(here.run, number, row, step.operation(args, kwargs))

    return _known(call, step)


def transaction_function(definition: TransactionDefinition) -> Callable[..., Any]:
    """The function that a transaction's name is bound to: without its connection, which it is given."""
    return _async_transaction(definition) if definition.is_async else _blocking_transaction(definition)


def _async_transaction(transaction: TransactionDefinition) -> Callable[..., Any]:
    @functools.wraps(transaction.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        here, asked = _transaction_frame(transaction.name), transaction.call(args, kwargs)
        if here is None:
            return transactions.plain_transaction(asked)
        here.run.refuse_coroutine(transaction.name)
        number, row = here.run.begin(transaction.name)
        return here.run.asked_for(
            transaction.name, transactions.run_transaction(here.run, number, row, asked)
        )

    return call


def _blocking_transaction(transaction: TransactionDefinition) -> Callable[..., Any]:
    @functools.wraps(transaction.function)
    def call(*args: Any, **kwargs: Any) -> Any:
        here, asked = _transaction_frame(transaction.name), transaction.call(args, kwargs)
        if here is None:
            return transactions.plain_blocking_transaction(asked)
        if here.run.definition.is_async:
            raise WrongContext(
                f"transaction {transaction.name!r} blocks, and its workflow is async: make the transaction "
                "`async def`, with an asynchronous connection"
            )
        number, row = here.run.begin(transaction.name)
        return transactions.run_blocking_transaction(here.run, number, row, asked)

    return call


def _transaction_frame(name: str) -> Frame | None:
    """Where the caller is; neither a step nor a transaction can have another transaction in it."""
    here = current_frame()
    if here is not None and here.step:
        outer = "another transaction" if here.transaction else "a step"
        raise WrongContext(
            f"transaction {name!r} cannot run inside {outer}, which is one outcome: call it from the "
            "workflow, or hand the connection to a plain function"
        )
    return here


def _known(call: Callable[..., Any], step: StepDefinition) -> Callable[..., Any]:
    """A step's function by which its definition is found again: see `registry.step_operation`."""
    setattr(call, DEFINITION, step)
    return call


class WorkflowDecorator:
    """`@app.workflow(...)`: keeps the function's colour and signature."""

    def __init__(self, app: App, **options: Any) -> None:
        self._app = app
        self._options = options

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[Concatenate[type[T], P], Coroutine[Any, Any, R]]
    ) -> AsyncClassWorkflow[P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[type[T], P], R]) -> BlockingClassWorkflow[P, R]: ...

    @overload  # a coroutine function is a function too; the first that fits is meant
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> AsyncWorkflow[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R]) -> BlockingWorkflow[P, R]: ...

    def __call__(self, function: Any) -> Any:
        plain = function.__func__ if isinstance(function, staticmethod | classmethod) else function
        definition = WorkflowDefinition(**self._named(plain, function))
        self._app._declared.functions.append(plain)
        if not (definition.takes_self or definition.takes_class):  # else when there is an instance, a class
            self._app._declared.registry.add(definition)
        return (AsyncWorkflow if definition.is_async else BlockingWorkflow)(self._app, definition)

    def _named(self, plain: Callable[..., Any], given: object) -> dict[str, Any]:
        """The name is the function's; a method that is called on an instance or a class has that class's."""
        options = dict(self._options)
        name = options.pop("name") or plain.__qualname__
        takes_self = plain is given and _class_of(plain) is not None and _first_parameter(plain) == "self"
        takes_class = isinstance(given, classmethod)
        if plain is given and _class_of(plain) and _first_parameter(plain) == "cls":
            raise TypeError(f"write @app.workflow() above @classmethod: {name}")
        if options["class_name"] is None and (takes_self or takes_class):
            options["class_name"] = _class_of(plain)
        return {
            "name": name,
            "function": plain,
            "takes_self": takes_self,
            "takes_class": takes_class,
            **options,
        }


def _class_of(function: Callable[..., Any]) -> str | None:
    """The name of the class in whose body a function stands."""
    scope = function.__qualname__.rpartition(".")[0]
    return None if scope.endswith("<locals>") or not scope else scope.rpartition(".")[2]


def _first_parameter(function: Callable[..., Any]) -> str | None:
    return next(iter(inspect.signature(function).parameters), None)
