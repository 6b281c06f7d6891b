# Generated from src/durably/client/*.py; do not edit: `make generate`.
"""The blocking client and its handles: each call runs the async twin's on a loop thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Generic, Self, cast, overload

from durably.client._accounts import WORKDAY
from durably.client._async import AsyncDBOSClient
from durably.client._commits import MOST
from durably.client._enqueue import Enqueue
from durably.client._messages import Message
from durably.client._overview import MOST_READ
from durably.client.declared import DeclaredWorkflow, P, R
from durably.client.handles import AsyncWorkflowHandle, R_co
from durably.codec import Codec
from durably.concurrency.portal import Portal
from durably.core.limits import CURRENT, Change
from durably.errors import NotRunning
from durably.observing import Observer
from durably.types import (
    Account,
    ApiToken,
    ApplicationVersion,
    Arguments,
    AuditEntry,
    AuditOutcome,
    AuditSource,
    Backlog,
    Debounce,
    EnqueueOptions,
    EventRecord,
    ExecutorInfo,
    Explanation,
    FamilyMember,
    Finding,
    KnownWorkflow,
    MessageRecord,
    NewApiToken,
    OverviewFacts,
    QueueActivity,
    QueueConflict,
    QueueInfo,
    QueueStats,
    RateLimit,
    ReceivedMessage,
    Role,
    Schedule,
    ScheduleOverlap,
    ScheduleSpec,
    SearchCounts,
    Seconds,
    StartStep,
    StatusCounts,
    StepInfo,
    StepRecord,
    StepSummary,
    StorageInfo,
    StrandedWorkflow,
    StreamInfo,
    StreamRecord,
    VersionLoad,
    WorkflowActivity,
    WorkflowAttempts,
    WorkflowEvent,
    WorkflowFilter,
    WorkflowOrder,
    WorkflowPage,
    WorkflowPayloads,
    WorkflowStatus,
)

__all__ = ["DBOSClient", "WorkflowHandle"]


class DBOSClient:
    """Drives a DBOS application, in whatever language it is written, from outside, through its database.

    Any number of tasks and threads may use it at once. However many wait, they share one connection and one
    query. While the database is away, calls try again.

        with DBOSClient.create("postgresql://localhost/shop") as client:
            handle = client.enqueue(EnqueueOptions(workflow_name="add", queue_name="sums"), 1, 2)
            print(handle.get_result())
    """

    def __init__(self, twin: AsyncDBOSClient, portal: Portal) -> None:
        self._async = twin
        self._portal = portal

    @classmethod
    def create(
        cls,
        database_url: str | None = None,
        system_database: str | None = None,
        *,
        system_database_url: str | None = None,
        schema: str = "dbos",
        application_name: str | None = None,
        pool_size: int = 4,
        codec: str | Codec = "portable_json",
        allow_serializations: Iterable[str | Codec] = (),
        errors: Iterable[type[BaseException]] = (),
        listen: bool = True,
        retry_for: Seconds = 60,
        observers: Iterable[Observer] = (),
    ) -> Self:
        """Connect to the system database of the application whose database is `database_url`.

        That is the database `system_database`, or the application database's name with `_dbos_sys` appended,
        on the same server; `system_database_url` names it outright; with neither URL the environment's
        DURABLY_DATABASE_URL counts. URLs are libpq's. Nothing is created or altered in it.

        `application_name` is written to what is enqueued, and narrows lists. `codec` is what is written,
        `allow_serializations` what may be read besides (`py_pickle` runs code when it is read), `errors` the
        exception classes that workflows may raise here. `listen=False` does without LISTEN (for poolers in
        transaction mode): waits are then noticed by polling. A call that meets an unavailable database tries
        again for `retry_for` seconds, then raises DatabaseUnavailable. `observers` are told what is called:
        see `durably.observing`.

        Raises ConfigurationError, DatabaseUnavailable, NotASystemDatabase, SchemaTooOld or SchemaTooNew, each
        saying what to do.

            client = DBOSClient.create("postgresql://localhost/shop")
        """
        portal = Portal.start("durably-client")
        try:
            return cls(
                portal.call(
                    AsyncDBOSClient.create,
                    database_url,
                    system_database,
                    system_database_url=system_database_url,
                    schema=schema,
                    application_name=application_name,
                    pool_size=pool_size,
                    codec=codec,
                    allow_serializations=allow_serializations,
                    errors=errors,
                    listen=listen,
                    retry_for=retry_for,
                    observers=observers,
                ),
                portal,
            )
        except BaseException:
            portal.close()
            raise

    @property
    def schema(self) -> str:
        """The schema that DBOS's tables are in.

        print(client.schema)
        """
        return self._async.schema

    @property
    def application_name(self) -> str | None:
        """The application that this client works for, if it was given one.

        print(client.application_name)
        """
        return self._async.application_name

    def destroy(self) -> None:
        """Close the connections; calls that wait end with NotRunning. Doing it twice is fine.

        client.destroy()
        """
        try:
            with suppress(NotRunning):  # closed before
                self._portal.call(self._async.destroy)
        finally:
            self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.destroy()

    @overload
    def enqueue(
        self, options: EnqueueOptions[P, R] | DeclaredWorkflow[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> WorkflowHandle[R]: ...

    @overload
    def enqueue(
        self,
        options: EnqueueOptions[..., R] | DeclaredWorkflow[..., R],
        /,
        *args: Any,
        connection: object,
        **kwargs: Any,
    ) -> WorkflowHandle[R]: ...

    def enqueue(
        self, options: Any, /, *args: Any, connection: object = None, **kwargs: Any
    ) -> WorkflowHandle[Any]:
        """Put a workflow on a queue, with its arguments; it is durable when this returns.

        The same `workflow_id` again is the same workflow: nothing is written, and the handle is of the one
        that exists (`handle.created` is False). Where its arguments are others ArgumentsIgnored is warned of,
        unless `workflow_id_reuse_policy` is given. With `connection` (psycopg, asyncpg, SQLAlchemy, of this
        client's colour) it is written in that connection's transaction, which stays the caller's to commit;
        the handle works from then on.

        Raises InvalidOption and EncodeError before anything is written; WorkflowConflict when the id belongs
        to a workflow of another name; WorkflowIdInUse and Deduplicated as the policies in `options` say.

            handle = client.enqueue(EnqueueOptions(workflow_name="add", queue_name="sums"), 1, 2)
            print(handle.get_result())
        """
        return WorkflowHandle(
            self._portal.call(
                cast("Any", self._async.enqueue), options, *args, connection=connection, **kwargs
            ),
            self._portal,
        )

    def enqueue_many(self, items: Sequence[Enqueue | tuple[Any, Sequence[Any]]]) -> list[WorkflowHandle[Any]]:
        """Put many workflows on their queues in one transaction: all of them, or none.

        Each item is `(options, args)`, or `Enqueue(options, args, kwargs)`. Handles come in the same order;
        an id that repeats, or that exists, is the same workflow. Raises as `enqueue`.

            options = EnqueueOptions(workflow_name="add", queue_name="sums")
            handles = client.enqueue_many([(options, (1, n)) for n in range(100)])
        """
        return [
            WorkflowHandle(item, self._portal) for item in self._portal.call(self._async.enqueue_many, items)
        ]

    def debounce(
        self, options: EnqueueOptions[..., Any], debounce: Debounce, /, *args: Any, **kwargs: Any
    ) -> WorkflowHandle[Any]:
        """Start a workflow when no call of this key has come for a period; returns the handle of that run.

        Each call moves the start to `debounce.period` seconds from now, but not beyond `debounce.timeout`
        seconds after the first, and replaces the arguments. Keys are of one workflow name and queue; calls
        from DBOS's clients count too. TypeScript's applications form keys in another way, which is used with
        serialization="js_superjson". In a workflow of the application this is one recorded step,
        committed with the debounced workflow, whose parent is the one that called first.

        Raises InvalidOption for options that debouncing excludes, and Deduplicated where the key is the
        deduplication id of another workflow or application.

            handle = client.debounce(EnqueueOptions(workflow_name="index", queue_name="searches"),
                                           Debounce("page-7", period=5, timeout=60), "page-7")
        """
        return WorkflowHandle(
            self._portal.call(self._async.debounce, options, debounce, *args, **kwargs), self._portal
        )

    @overload
    def retrieve_workflow(self, workflow_id: str, declared: None = None) -> WorkflowHandle[Any]: ...

    @overload
    def retrieve_workflow(
        self, workflow_id: str, declared: DeclaredWorkflow[..., R]
    ) -> WorkflowHandle[R]: ...

    def retrieve_workflow(
        self, workflow_id: str, declared: DeclaredWorkflow[..., Any] | None = None
    ) -> WorkflowHandle[Any]:
        """Return the handle of a workflow by its id; nothing is asked yet, not even whether it exists.

        With `declared`, results are decoded to its return type.

            handle = client.retrieve_workflow("order-17")
            print(handle.get_result())
        """
        return WorkflowHandle(cast("Any", self._async.retrieve_workflow)(workflow_id, declared), self._portal)

    def wait_first(
        self, handles: Sequence[WorkflowHandle[R]], timeout: Seconds | None = None
    ) -> WorkflowHandle[R]:
        """Wait until one of these workflows has ended, however; returns its handle. In a workflow, recorded.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout. Raises NoSuchWorkflow for
        one that does not exist.

            first = client.wait_first(handles)
        """
        return WorkflowHandle(
            self._portal.call(self._async.wait_first, [item._async for item in handles], timeout),
            self._portal,
        )

    def as_completed(
        self, handles: Sequence[WorkflowHandle[R]], timeout: Seconds | None = None
    ) -> Iterator[WorkflowHandle[R]]:
        """Iterate over these handles in the order in which their workflows end, however they do.

        In a workflow each is recorded, as by `wait_first`. Raises WorkflowTimeout when none ends for
        `timeout` seconds (None: wait for ever), and NoSuchWorkflow for one that does not exist.

            for handle in client.as_completed(handles): print(handle.get_result())
        """
        return (
            WorkflowHandle(item, self._portal)
            for item in self._portal.iterate(
                self._async.as_completed, [item._async for item in handles], timeout
            )
        )

    def wait_all(
        self, handles: Sequence[WorkflowHandle[R]], timeout: Seconds | None = None
    ) -> list[WorkflowHandle[R]]:
        """Wait until all of these workflows have ended, however; returns their handles in the same order.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout. Raises NoSuchWorkflow for
        one that does not exist.

            results = [handle.get_result() for handle in client.wait_all(handles)]
        """
        return [
            WorkflowHandle(item, self._portal)
            for item in self._portal.call(self._async.wait_all, [item._async for item in handles], timeout)
        ]

    def send(
        self,
        destination_id: str,
        message: Any,
        topic: str | None = None,
        idempotency_key: str | None = None,
        *,
        serialization: str | None = None,
        connection: object = None,
    ) -> None:
        """Send a message to a workflow, which receives it with `recv(topic)`; durable when this returns.

        With `idempotency_key` the same message sent again (to this workflow) is not a second one. With
        `connection` it is written in that connection's transaction, as in `enqueue`. Raises NoSuchWorkflow;
        EncodeError and InvalidOption before anything is written.

            client.send("order-17", {"ok": True}, topic="approval", idempotency_key=payment_id)
        """
        return self._portal.call(
            self._async.send,
            destination_id,
            message,
            topic,
            idempotency_key,
            serialization=serialization,
            connection=connection,
        )

    def send_many(self, items: Sequence[Message]) -> None:
        """Send messages in one transaction: all of them, or none; they are received in this order.

        In a workflow they are one operation, sent exactly once. Raises as `send`.

            client.send_many([Message(destination_id=id, message="stop") for id in ids])
        """
        return self._portal.call(self._async.send_many, items)

    def list_workflow_messages(self, workflow_id: str) -> list[ReceivedMessage]:
        """Return the messages that were sent to a workflow, the oldest first, received or not.

        A message that cannot be decoded here is its text.

            unread = [m for m in client.list_workflow_messages("order-17") if not m.consumed]
        """
        return self._portal.call(self._async.list_workflow_messages, workflow_id)

    def ask(
        self,
        workflow_id: str,
        question: Any,
        topic: str | None = None,
        *,
        timeout: Seconds = 60.0,
        type_: Any = Any,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask a workflow that runs, and return its reply, decoded to `type_`.

        The workflow takes the question with `recv_request(topic)` and answers with `request.reply(value)`.
        Both are ordinary rows: a message `{"ask": id, "question": ...}`, and an event `reply:<id>`. With
        `idempotency_key` the same question asked again has the same reply. Raises NoReply when none has come
        within `timeout` seconds, or at once when the workflow has ended without one; NoSuchWorkflow.

            answer = client.ask("order-17", {"may": "ship"}, "questions", timeout=10)
        """
        return self._portal.call(
            self._async.ask,
            workflow_id,
            question,
            topic,
            timeout=timeout,
            type_=type_,
            idempotency_key=idempotency_key,
        )

    def get_event(
        self,
        workflow_id: str,
        key: str,
        timeout_seconds: Seconds = 60,
        type_: Any = Any,
        *,
        missing_ok: bool = False,
    ) -> Any:
        """Return the value of an event of a workflow, waiting for it; None when it has not come in time.

        The value is decoded to `type_`. A workflow that ends without setting it is waited for like any
        other. An id that does not exist 0.6 s after this was called raises NoSuchWorkflow, unless
        `missing_ok`: then one that is yet to be enqueued is waited for.

            status = client.get_event("order-17", "status", timeout_seconds=10)
        """
        return self._portal.call(
            self._async.get_event, workflow_id, key, timeout_seconds, type_, missing_ok=missing_ok
        )

    def get_all_events(self, workflow_id: str) -> dict[str, Any]:
        """Return the latest value of each event of a workflow, by key; none for an id that does not exist.

        In a workflow it is recorded. A value that cannot be decoded here is its text.

            stage = client.get_all_events("order-17")["status"]
        """
        return self._portal.call(self._async.get_all_events, workflow_id)

    def list_workflow_events(self, workflow_id: str) -> list[WorkflowEvent]:
        """Return every value that the events of a workflow have had, in the order in which they were set.

        for event in client.list_workflow_events("order-17"): print(event.key, event.value)
        """
        return self._portal.call(self._async.list_workflow_events, workflow_id)

    def read_stream(
        self, workflow_id: str, key: str, *, offset: int = 0, timeout: Seconds | None = None, type_: Any = Any
    ) -> Iterator[Any]:
        """Return the values of a stream from an offset on, as they come, until it ends.

        It ends when it is closed, or with its workflow. Offsets are dense: who has seen n values goes on with
        `offset=n`, in whatever process. Values are decoded to `type_`. Raises StreamTimeout when no value
        comes for `timeout` seconds (None: wait for ever), and NoSuchWorkflow.

            for token in client.read_stream("chat-17", "tokens", timeout=60): print(token)
        """
        return self._portal.iterate(
            self._async.read_stream, workflow_id, key, offset=offset, timeout=timeout, type_=type_
        )

    def read_stream_offset(
        self, workflow_id: str, key: str, offset: int, *, timeout: Seconds | None = None, type_: Any = Any
    ) -> Any:
        """Return the value at one offset of a stream, waiting for it.

        Raises StreamTimeout when it does not come within `timeout` seconds (None: wait for ever), StreamEnded
        when the stream has ended before it, NoSuchWorkflow.

            first = client.read_stream_offset("chat-17", "tokens", 0, timeout=60)
        """
        return self._portal.call(
            self._async.read_stream_offset, workflow_id, key, offset, timeout=timeout, type_=type_
        )

    def list_workflow_streams(self, workflow_id: str) -> dict[str, Sequence[Any]]:
        """Return what is in the streams of a workflow now, by key.

        A value that cannot be decoded here is its text.

        progress = client.list_workflow_streams("chat-17")["tokens"]
        """
        return self._portal.call(self._async.list_workflow_streams, workflow_id)

    def get_workflow(
        self, workflow_id: str, *, load_input: bool = True, load_output: bool = True
    ) -> WorkflowStatus:
        """Return what the system database shows of a workflow now. Raises NoSuchWorkflow.

        Its input, and its output and error, are None where they are not to be loaded.

            print(client.get_workflow("order-17").status)
        """
        return self._portal.call(
            self._async.get_workflow, workflow_id, load_input=load_input, load_output=load_output
        )

    def list_workflows(self, filter: WorkflowFilter | None = None) -> list[WorkflowStatus]:
        """Return the workflows of a filter, in order of creation; without one, all of them.

        A client that was created with an application name sees that application's and those that belong to
        none, unless the filter names an application or workflow ids. A payload that cannot be decoded here
        is its raw text. Takes 30 s at most, then raises DatabaseError.

            failed = client.list_workflows(WorkflowFilter(status="ERROR", sort_desc=True, limit=20))
        """
        return self._portal.call(self._async.list_workflows, filter)

    def list_workflow_generations(self, workflow_id: str) -> list[WorkflowStatus]:
        """Return the generations of a workflow that continued as new, oldest first, the present one last.

        Those before it are finished workflows of their own, `<id>/1`, `<id>/2`, ..., each with its input and
        steps, until retention removes them. Takes 30 s at most. Raises NoSuchWorkflow.

            for run in client.list_workflow_generations("poller"): print(run.workflow_id, run.input)
        """
        return self._portal.call(self._async.list_workflow_generations, workflow_id)

    def count_workflows(self, filter: WorkflowFilter | None = None, *, count_to: int | None = None) -> int:
        """Return how many workflows a filter has, regardless of its `limit` and `offset`.

        Counting ends at `count_to`, so that a look at a long table costs little.

            waiting = client.count_workflows(WorkflowFilter(status="ENQUEUED"), count_to=10_000)
        """
        return self._portal.call(self._async.count_workflows, filter, count_to=count_to)

    def list_workflow_steps(
        self, workflow_id: str, *, load_output: bool = True, limit: int | None = None, offset: int = 0
    ) -> list[StepInfo]:
        """Return the recorded operations of a workflow, in order; none for an id that does not exist.

        for step in client.list_workflow_steps("order-17"): print(step.function_name, step.output)
        """
        return self._portal.call(
            self._async.list_workflow_steps, workflow_id, load_output=load_output, limit=limit, offset=offset
        )

    def search_workflows(
        self,
        filter: WorkflowFilter | None = None,
        *,
        text: str | None = None,
        order: WorkflowOrder = "created",
        newest_first: bool = True,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> WorkflowPage:
        """Return a page of the workflows of a filter, found in bounded time however many there are.

        `order="completed"` is by when they ended; the filter's own order, limit and offset do not count.
        `text` must occur in id, name or attributes, in any case of the letters. The next page is
        `after=page.after`, the one before it `before=page.before`. Where no index helps, the next 20,000
        workflows are looked at: if there are more, `page.searched` tells how far it came, and
        `after=page.further` goes on from there. Payloads are not loaded.

            page = client.search_workflows(WorkflowFilter(name="purchaseTicket"), text="order-")
            for workflow in page.workflows: print(workflow.workflow_id, workflow.name)
        """
        return self._portal.call(
            self._async.search_workflows,
            filter,
            text=text,
            order=order,
            newest_first=newest_first,
            after=after,
            before=before,
            limit=limit,
        )

    def count_statuses(
        self, filter: WorkflowFilter | None = None, *, text: str | None = None
    ) -> SearchCounts:
        """Return how many workflows of a filter there are by status, counted to 10,000 of each.

        With any other condition than an application only the newest 10,000 workflows are looked at;
        `is_complete` tells whether those were all.

            print(client.count_statuses().counts)
        """
        return self._portal.call(self._async.count_statuses, filter, text=text)

    def workflows_by_id_prefix(self, prefix: str, *, limit: int = 5) -> list[WorkflowStatus]:
        """Return the first workflows whose id begins with a text, the id itself before all, however old.

        Where the database does not sort by bytes, ids with other signs between may hide some. Payloads are
        not loaded.

            for workflow in client.workflows_by_id_prefix("order-"): print(workflow.workflow_id)
        """
        return self._portal.call(self._async.workflows_by_id_prefix, prefix, limit=limit)

    def get_overview(self) -> OverviewFacts:
        """Return the state of everything in figures: what runs, waits and failed, in bounded time.

        facts = client.get_overview()
        print(facts.pending, facts.enqueued, facts.failed_last_hour)
        """
        return self._portal.call(self._async.get_overview)

    def activity(
        self, *, seconds: Seconds = 3600, spans: int = 60, most: int = MOST_READ
    ) -> WorkflowActivity:
        """Return what was created and what ended in the last `seconds`, in `spans` of equal length.

        The last span is the present one. It reads the newest `most` rows of each kind, in 30 s at most (then
        it raises DatabaseError).

            activity = client.activity(seconds=3600, spans=60)
            print(sum(activity.succeeded), sum(activity.failed))
        """
        return self._portal.call(self._async.activity, seconds=seconds, spans=spans, most=most)

    def cancel_workflow(self, workflow_id: str, *, cancel_children: bool = False) -> bool:
        """Cancel a workflow that has not succeeded or failed; returns False when it has.

        A queued one never runs; a running one stops at its next operation. It loses its queue and its
        deduplication id. Raises NoSuchWorkflow.

            client.cancel_workflow("order-17", cancel_children=True)
        """
        return self._portal.call(self._async.cancel_workflow, workflow_id, cancel_children=cancel_children)

    def cancel_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        cancel_children: bool = False,
        dry_run: bool = False,
    ) -> list[str]:
        """Cancel workflows, by id or by filter; returns the ids of those that were cancelled by it.

        Those that have ended, and ids that do not exist, are left out. Ids are cancelled in one transaction,
        a filter's workflows in several of 1,000; a filter without a status means those that have not ended.
        With `dry_run` nothing is changed.

            cancelled = client.cancel_workflows(["order-17", "order-18"])
            client.cancel_workflows(WorkflowFilter(name="purchaseTicket"), dry_run=True)
        """
        return self._portal.call(
            self._async.cancel_workflows, workflow_ids, cancel_children=cancel_children, dry_run=dry_run
        )

    def resume_workflow(self, workflow_id: str, *, queue_name: str | None = None) -> WorkflowHandle[Any]:
        """Put a workflow back on a queue, to go on from its last recorded operation; returns its handle.

        One that has succeeded or failed stays as it is. Without `queue_name` it goes on DBOS's internal
        queue, which every executor of its application serves. Its attempts count from 0 again, a timeout
        starts anew. One that is running is taken from its executor, which stops it. Raises NoSuchWorkflow.

            handle = client.resume_workflow("order-17", queue_name="ticketQueue")
        """
        return WorkflowHandle(
            self._portal.call(self._async.resume_workflow, workflow_id, queue_name=queue_name), self._portal
        )

    def resume_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        queue_name: str | None = None,
        dry_run: bool = False,
    ) -> list[WorkflowHandle[Any]]:
        """Resume workflows, by id or by filter; returns their handles.

        Ids in one transaction, all or, when one does not exist (NoSuchWorkflow), none. A filter's workflows
        in several of 1,000; a filter without a status means those that were cancelled or set aside. With
        `dry_run` nothing is changed: handles of those that would be resumed.

            handles = client.resume_workflows(["order-17", "order-18"], queue_name="ticketQueue")
            client.resume_workflows(WorkflowFilter(name="purchaseTicket", status="CANCELLED"))
        """
        return [
            WorkflowHandle(item, self._portal)
            for item in self._portal.call(
                self._async.resume_workflows, workflow_ids, queue_name=queue_name, dry_run=dry_run
            )
        ]

    def pause_workflow(
        self, workflow_id: str, *, reason: str | None = None, paused_by: str | None = None
    ) -> None:
        """Pause a workflow that has not ended: nobody runs it until `unpause_workflow`.

        One that runs stops at once, wherever it is, and goes on later from its last recorded operation; that
        is no recovery attempt. It is DELAYED for ever then, for DBOS executors too, and holds no place on its
        queue. Its deadline waits too: it is later by as long as the pause was. `get_workflow` and `explain`
        show `reason` and `paused_by` (the role of the database unless given). Raises NoSuchWorkflow, and
        WrongStatus where it has ended or is paused.

            client.pause_workflow("order-17", reason="the bank is closed", paused_by="ada")
        """
        return self._portal.call(self._async.pause_workflow, workflow_id, reason=reason, paused_by=paused_by)

    def pause_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        reason: str | None = None,
        paused_by: str | None = None,
        dry_run: bool = False,
    ) -> list[str]:
        """Pause workflows, by id or by filter; returns the ids of those that were paused by it.

        Those that have ended or are paused already, and ids that do not exist, are left out. Ids are paused
        in one transaction, a filter's workflows in several of 1,000. With `dry_run` nothing is changed.

            client.pause_workflows(WorkflowFilter(name="purchaseTicket"), reason="the bank is closed")
        """
        return self._portal.call(
            self._async.pause_workflows, workflow_ids, reason=reason, paused_by=paused_by, dry_run=dry_run
        )

    def unpause_workflow(self, workflow_id: str) -> bool:
        """Let a paused workflow go on; returns False when it was not paused.

        It is what it was before: delayed until the same instant, or on its queue; one that ran goes on its
        queue again, or on DBOS's internal queue where it had none. Raises NoSuchWorkflow.

            client.unpause_workflow("order-17")
        """
        return self._portal.call(self._async.unpause_workflow, workflow_id)

    def unpause_workflows(
        self, workflow_ids: Sequence[str] | WorkflowFilter, *, dry_run: bool = False
    ) -> list[str]:
        """Let paused workflows go on, by id or by filter; returns the ids of those that were paused.

        In transactions as `pause_workflows`. With `dry_run` nothing is changed.

            client.unpause_workflows(WorkflowFilter(name="purchaseTicket"))
        """
        return self._portal.call(self._async.unpause_workflows, workflow_ids, dry_run=dry_run)

    def delete_workflow(self, workflow_id: str, *, delete_children: bool = False) -> bool:
        """Delete a workflow and all that is recorded of it, whatever its status; False when there is none.

        One that runs is stopped. With `delete_children` its children, and theirs, go too. Forks of it stay,
        and what its parent recorded of it. The id may be used again.

            client.delete_workflow("order-17", delete_children=True)
        """
        return self._portal.call(self._async.delete_workflow, workflow_id, delete_children=delete_children)

    def delete_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        delete_children: bool = False,
        dry_run: bool = False,
    ) -> list[str]:
        """Delete workflows, by id or by filter; returns the ids of those that were deleted by it.

        Children that were deleted are among them; ids that do not exist are left out. Ids are deleted in one
        transaction, a filter's workflows in several of 1,000; a filter without a status means those that have
        ended. With `dry_run` nothing is changed.

            old = WorkflowFilter(status="SUCCESS", completed_before=datetime(2026, 1, 1, tzinfo=UTC))
            client.delete_workflows(old, dry_run=True)
        """
        return self._portal.call(
            self._async.delete_workflows, workflow_ids, delete_children=delete_children, dry_run=dry_run
        )

    def set_workflow_delay(
        self, workflow_id: str, *, delay: Seconds | None = None, delay_until: datetime | None = None
    ) -> bool:
        """Delay a delayed workflow otherwise: `delay` seconds from now, or until an instant; 0 is at once.

        Returns False, and changes nothing, where it is not delayed. Raises NoSuchWorkflow, and WrongStatus
        where it is paused or stranded.

            client.set_workflow_delay("order-17", delay=3600)
        """
        return self._portal.call(
            self._async.set_workflow_delay, workflow_id, delay=delay, delay_until=delay_until
        )

    def set_workflow_priority(self, workflow_id: str, priority: int) -> bool:
        """Give a workflow that waits on its queue, or is delayed, another priority; the smallest goes first.

        0 is that of work without one. Returns False, and changes nothing, where it does not wait. Raises
        NoSuchWorkflow.

            client.set_workflow_priority("order-17", 1)
        """
        return self._portal.call(self._async.set_workflow_priority, workflow_id, priority)

    def update_workflow_attributes(
        self, workflow_id: str, attributes: Mapping[str, Any] | None, *, merge: bool = False
    ) -> None:
        """Give a workflow, in whatever status, other attributes (None: none), by which filters find it.

        With `merge` those that are not named stay. Raises NoSuchWorkflow.

            client.update_workflow_attributes("order-17", {"reviewed_by": "ada"}, merge=True)
        """
        return self._portal.call(self._async.update_workflow_attributes, workflow_id, attributes, merge=merge)

    def fork_workflow(
        self,
        workflow_id: str,
        start_step: StartStep = None,
        *,
        new_workflow_id: str | None = None,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
        replacement_children: Mapping[str, str] | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> WorkflowHandle[Any]:
        """Begin a new workflow with what another one, in whatever status, recorded before `start_step`.

        `start_step` is a `function_id` of its steps: that operation runs anew, and all behind it. Left out,
        nothing is kept; "failure" is the operation whose error ended it, else its last one that failed, else
        what comes behind its last one. Operations count from 1, those of TypeScript applications from 0.

        The fork goes on `queue_name` (DBOS's internal queue unless given), for whichever version runs unless
        `app_version` is given. `replacement_children` puts other ids in place of recorded children's.
        `arguments` takes the place of the inputs; `outputs` gives operations that are kept another outcome: a
        value, or an exception. Its attributes tell what was edited, as `{"durably.edited": {"input": bool,
        "outputs": [numbers]}}`, and its steps are marked. The same `new_workflow_id` again is the same fork.

        Raises NoSuchWorkflow, NoSuchStep, InvalidOption, WorkflowIdInUse; then nothing was written.

            fork = client.fork_workflow("order-17", 3, outputs={2: "receipt-2"})
        """
        return WorkflowHandle(
            self._portal.call(
                self._async.fork_workflow,
                workflow_id,
                start_step,
                new_workflow_id=new_workflow_id,
                app_version=app_version,
                queue_name=queue_name,
                queue_partition_key=queue_partition_key,
                timeout=timeout,
                replacement_children=replacement_children,
                arguments=arguments,
                outputs=outputs,
            ),
            self._portal,
        )

    def fork_workflows(
        self,
        workflow_ids: Sequence[str],
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
    ) -> list[WorkflowHandle[Any]]:
        """Fork workflows in one transaction, all or, when one of them cannot be, none; see `fork_workflow`.

        forks = client.fork_workflows(["order-17", "order-18"], "failure")
        """
        return [
            WorkflowHandle(item, self._portal)
            for item in self._portal.call(
                self._async.fork_workflows,
                workflow_ids,
                start_step,
                app_version=app_version,
                queue_name=queue_name,
                queue_partition_key=queue_partition_key,
                timeout=timeout,
            )
        ]

    def rewind_workflow(
        self,
        workflow_id: str,
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> WorkflowHandle[Any]:
        """Let a workflow that has ended go on from `start_step` under its id; what came after is forgotten.

        `start_step`, `arguments`, `outputs` and the queue are those of `fork_workflow`. Messages that it took
        since then, and those that it has not taken, are gone; events have the value that they had. A child
        keeps its id, and so its outcome: rewind or delete it too where it is to run again. What transactions
        of an application recorded in its own database is out of a client's reach: where it has such, rewind
        with `app.client`, or they give back what they gave before.

        Raises NoSuchWorkflow, WrongStatus for one that has not ended, NoSuchStep, InvalidOption.

            handle = client.rewind_workflow("order-17", "failure")
        """
        return WorkflowHandle(
            self._portal.call(
                self._async.rewind_workflow,
                workflow_id,
                start_step,
                app_version=app_version,
                queue_name=queue_name,
                queue_partition_key=queue_partition_key,
                arguments=arguments,
                outputs=outputs,
            ),
            self._portal,
        )

    def rewind_workflows(
        self,
        workflow_ids: Sequence[str],
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
    ) -> list[WorkflowHandle[Any]]:
        """Rewind workflows in one transaction, all or, when one of them cannot be, none.

        See `rewind_workflow`.

            handles = client.rewind_workflows(["order-17", "order-18"], "failure")
        """
        return [
            WorkflowHandle(item, self._portal)
            for item in self._portal.call(
                self._async.rewind_workflows,
                workflow_ids,
                start_step,
                app_version=app_version,
                queue_name=queue_name,
                queue_partition_key=queue_partition_key,
            )
        ]

    def list_application_versions(self, *, application_name: str | None = None) -> list[ApplicationVersion]:
        """Return the versions that applications have registered here, the latest first.

        Each worker registers its own when it starts. With an application name, or a client that has one: its
        versions and those of no application.

            for version in client.list_application_versions(): print(version.version_name)
        """
        return self._portal.call(self._async.list_application_versions, application_name=application_name)

    def get_latest_application_version(
        self, *, application_name: str | None = None
    ) -> ApplicationVersion | None:
        """Return the version whose workers run what was enqueued for no version; None where there is none.

        latest = client.get_latest_application_version(application_name="tickets")
        """
        return self._portal.call(
            self._async.get_latest_application_version, application_name=application_name
        )

    def set_latest_application_version(self, version_name: str) -> ApplicationVersion:
        """Let the workers of this version run what was enqueued for no version, from now on.

        A version is the latest of its application when it is registered first; starting its workers again
        does not make it so, this does: going back to an older one, say. Raises NoSuchVersion.

            client.set_latest_application_version("tickets@2026-11-26")
        """
        return self._portal.call(self._async.set_latest_application_version, version_name)

    def list_stranded(self, filter: WorkflowFilter | None = None) -> list[StrandedWorkflow]:
        """Return the workflows that were set aside because what they recorded does not fit the code.

        Such a workflow is DELAYED, and goes on by itself as soon as a process runs whose code it fits. By
        hand it goes on with `move_workflows` to a version that fits, or as a `fork_workflow` from the
        operation that differs. The filter's status does not count.

            for stranded in client.list_stranded(): print(stranded.explanation)
        """
        return self._portal.call(self._async.list_stranded, filter)

    def move_workflows(
        self, workflows_: Sequence[str] | WorkflowFilter, app_version: str | None
    ) -> list[str]:
        """Give workflows that do not run another version; returns the ids of those that were moved.

        Only workers of that version run them then; None leaves them to whichever is the latest. Stranded
        workflows go back on their queues. What runs or has ended is left out: resume it first. Raises
        NoSuchVersion where no worker has registered the version.

            client.move_workflows(["order-17"], "tickets@2026-11-26")
            client.move_workflows(WorkflowFilter(name="purchaseTicket", app_version="v1"), "v2")
        """
        return self._portal.call(self._async.move_workflows, workflows_, app_version)

    def register_queue(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        worker_concurrency: int | None = None,
        limiter: RateLimit | None = None,
        partition_concurrency: int | None = None,
        partition_worker_concurrency: int | None = None,
        partition_limiter: RateLimit | None = None,
        polling_interval_sec: float = 1.0,
        on_conflict: QueueConflict = "always_update",
        application_name: str | None = None,
    ) -> QueueInfo:
        """Create a queue or, unless `on_conflict` is "never_update", give it these limits; returns it.

        Workers follow within a second. `polling_interval_sec` is for DBOS's workers; ours are notified.
        Raises QueueOwned, and InvalidOption for limits that cannot work.

            client.register_queue("emails", concurrency=20, limiter=RateLimit(limit=100, period=60))
        """
        return self._portal.call(
            self._async.register_queue,
            name,
            concurrency=concurrency,
            worker_concurrency=worker_concurrency,
            limiter=limiter,
            partition_concurrency=partition_concurrency,
            partition_worker_concurrency=partition_worker_concurrency,
            partition_limiter=partition_limiter,
            polling_interval_sec=polling_interval_sec,
            on_conflict=on_conflict,
            application_name=application_name,
        )

    def update_queue(
        self,
        name: str,
        *,
        concurrency: Change[int] = CURRENT,
        worker_concurrency: Change[int] = CURRENT,
        limiter: Change[RateLimit] = CURRENT,
        partition_concurrency: Change[int] = CURRENT,
        partition_worker_concurrency: Change[int] = CURRENT,
        partition_limiter: Change[RateLimit] = CURRENT,
        polling_interval_sec: float | None = None,
    ) -> QueueInfo:
        """Change the limits that are named, None for no limit, and leave the others; returns the queue.

        What runs goes on; workers follow within a second. `polling_interval_sec` is for DBOS's workers.
        Raises NoSuchQueue, and InvalidOption for limits that cannot work together.

            client.update_queue("emails", concurrency=5, limiter=None)
        """
        return self._portal.call(
            self._async.update_queue,
            name,
            concurrency=concurrency,
            worker_concurrency=worker_concurrency,
            limiter=limiter,
            partition_concurrency=partition_concurrency,
            partition_worker_concurrency=partition_worker_concurrency,
            partition_limiter=partition_limiter,
            polling_interval_sec=polling_interval_sec,
        )

    def get_queue(self, name: str) -> QueueInfo:
        """Return a queue with its limits and pauses. Raises NoSuchQueue.

        print(client.get_queue("emails").concurrency)
        """
        return self._portal.call(self._async.get_queue, name)

    def list_queues(self, *, application_name: str | None = None) -> list[QueueInfo]:
        """Return the registered queues, by name: an application's and those of none, or all.

        for queue in client.list_queues(): print(queue.name, queue.pauses)
        """
        return self._portal.call(self._async.list_queues, application_name=application_name)

    def delete_queue(self, name: str) -> bool:
        """Delete a queue's registration; returns whether there was one.

        Its workflows stay: those that wait do so until the queue is registered again.

            client.delete_queue("emails")
        """
        return self._portal.call(self._async.delete_queue, name)

    def pause_queue(
        self,
        name: str,
        *,
        executor_id: str | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
    ) -> QueueInfo:
        """Let durably's workers, or one of them, take nothing more from a queue; returns it.

        What runs goes on, see `drain_queue`. DBOS's own workers do not know of pauses. `QueueInfo.pauses` and
        `explain` show `reason` and `paused_by` (the role of the database unless given). Raises NoSuchQueue,
        and InvalidOption for an executor that does not run.

            client.pause_queue("emails", reason="the provider is down")
        """
        return self._portal.call(
            self._async.pause_queue, name, executor_id=executor_id, reason=reason, paused_by=paused_by
        )

    def resume_queue(self, name: str, *, executor_id: str | None = None) -> bool:
        """Let workers take from a queue again: one of them, or all; returns whether it was paused.

        Without `executor_id` every pause of the queue ends, those on single workers too. Raises NoSuchQueue.

            client.resume_queue("emails")
        """
        return self._portal.call(self._async.resume_queue, name, executor_id=executor_id)

    def drain_queue(
        self,
        name: str,
        *,
        executor_id: str | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
        timeout: Seconds | None = None,
    ) -> bool:
        """Pause a queue and wait until nothing of it runs, everywhere or on one executor.

        Returns False if something runs still after `timeout` seconds; the queue stays paused in any case.

            if client.drain_queue("emails", timeout=60): migrate_the_provider()
        """
        return self._portal.call(
            self._async.drain_queue,
            name,
            executor_id=executor_id,
            reason=reason,
            paused_by=paused_by,
            timeout=timeout,
        )

    def queue_stats(
        self, name: str | None = None, *, application_name: str | None = None
    ) -> list[QueueStats]:
        """Return what is on the registered queues now, or on one of them (NoSuchQueue if there is none).

        for queue in client.queue_stats(): print(queue.name, queue.enqueued, queue.pending)
        """
        return self._portal.call(self._async.queue_stats, name, application_name=application_name)

    def list_executors(self, *, application_name: str | None = None) -> list[ExecutorInfo]:
        """Return the processes that run workflows: those of durably, alive first, and those of DBOS.

        Each of durably's holds a lease that it renews; ended ones are listed for a day. DBOS's processes
        hold none (`state` is "no lease"), and show only while a workflow runs on them: whether they live is
        not known. Of an application, or of all.

            for executor in client.list_executors(): print(executor.executor_id, executor.state)
        """
        return self._portal.call(self._async.list_executors, application_name=application_name)

    def version_loads(self, *, count_to: int = 10000) -> list[VersionLoad]:
        """Return how much work has not ended by the version that it is for, None for whichever is the latest.

        Of each status the first `count_to` workflows are looked at, of all applications.

            for load in client.version_loads(): print(load.app_version, load.enqueued)
        """
        return self._portal.call(self._async.version_loads, count_to=count_to)

    def list_known_workflows(self) -> list[KnownWorkflow]:
        """Return the workflows that are known here: of applications of durably, and of the latest 5,000 runs.

        for known in client.list_known_workflows(): print(known.name, known.queue_name)
        """
        return self._portal.call(self._async.list_known_workflows)

    def storage(self) -> StorageInfo:
        """Return how large the database and its tables are, and how well they are kept.

        Rows are the planner's estimate; nothing is counted or locked, and a replica will do.

            for table in client.storage().tables: print(table.name, table.total_bytes, table.advice)
        """
        return self._portal.call(self._async.storage)

    def queue_activity(
        self, name: str | None = None, *, count_to: int = MOST, application_name: str | None = None
    ) -> list[QueueActivity]:
        """Return what queues hold now and did in the last hour, or one of them: cheap on any backlog.

        Also of queues that nobody has registered, while work waits or runs on them. Counts end at `count_to`.

            for queue in client.queue_activity(): print(queue.name, queue.enqueued, queue.starts[-1])
        """
        return self._portal.call(
            self._async.queue_activity, name, count_to=count_to, application_name=application_name
        )

    def count_by_status(self, *, since: Seconds = 300, count_to: int = MOST) -> StatusCounts:
        """Return how many workflows there are of each status, and how many ended in the last `since` seconds.

        Of the whole database, and cheap at any size: counts end at `count_to`, and how many have succeeded is
        the planner's estimate.

            failed = client.count_by_status().ended.get("ERROR", 0)
        """
        return self._portal.call(self._async.count_by_status, since=since, count_to=count_to)

    def list_backlogs(self, name: str, *, limit: int = 20, count_to: int = 1000) -> list[Backlog]:
        """Return the partitions of a queue with the most work that waits: none if it has no partitions.

        They are the fullest of the first 300 by key; counts end at `count_to`.

            print([backlog.key for backlog in client.list_backlogs("emails")])
        """
        return self._portal.call(self._async.list_backlogs, name, limit=limit, count_to=count_to)

    def create_schedule(
        self,
        *,
        schedule_name: str,
        workflow_name: str,
        schedule: str,
        context: Any = None,
        workflow_class_name: str | None = None,
        automatic_backfill: bool = False,
        cron_timezone: str | None = None,
        queue_name: str | None = None,
        application_name: str | None = None,
        catch_up: Seconds = 60.0,
        jitter: Seconds = 0.0,
        overlap: ScheduleOverlap = "allow",
    ) -> Schedule:
        """Create a schedule, which its application's processes follow within a second; returns it.

        `ScheduleSpec` says what the options mean. The workflow may be unknown here: `Schedule.problem` tells
        when no process runs it. `context` is pickled, as DBOS Python wants it.

        Raises ScheduleExists, EncodeError, and InvalidOption for an expression that cannot be read or never
        fires, and for an unknown time zone.

            client.create_schedule(schedule_name="nightly", workflow_name="report",
                                         schedule="0 3 * * *")
        """
        return self._portal.call(
            self._async.create_schedule,
            schedule_name=schedule_name,
            workflow_name=workflow_name,
            schedule=schedule,
            context=context,
            workflow_class_name=workflow_class_name,
            automatic_backfill=automatic_backfill,
            cron_timezone=cron_timezone,
            queue_name=queue_name,
            application_name=application_name,
            catch_up=catch_up,
            jitter=jitter,
            overlap=overlap,
        )

    def apply_schedules(self, specs: Sequence[ScheduleSpec]) -> list[Schedule]:
        """Create these schedules, or give those that exist what is said here; returns them.

        A schedule keeps its status and when it fired last; one without an owner gets this application.
        All are checked before one is written. Raises as `create_schedule`.

            client.apply_schedules([ScheduleSpec(schedule_name="nightly", workflow_name="report",
                                                       schedule="0 3 * * *")])
        """
        return self._portal.call(self._async.apply_schedules, specs)

    def get_schedule(self, schedule_name: str) -> Schedule:
        """Return a schedule, with its next time and what is wrong with it. Raises NoSuchSchedule.

        print(client.get_schedule("nightly").next_fire_at)
        """
        return self._portal.call(self._async.get_schedule, schedule_name)

    def list_schedules(
        self,
        *,
        status: str | None = None,
        workflow_name: str | None = None,
        schedule_name_prefix: str | None = None,
        application_name: str | None = None,
    ) -> list[Schedule]:
        """Return schedules by name: an application's and those of none, or all.

        for schedule in client.list_schedules(status="ACTIVE"): print(schedule.next_fire_at)
        """
        return self._portal.call(
            self._async.list_schedules,
            status=status,
            workflow_name=workflow_name,
            schedule_name_prefix=schedule_name_prefix,
            application_name=application_name,
        )

    def pause_schedule(self, schedule_name: str) -> None:
        """Let a schedule rest until it is resumed; what runs goes on. Raises NoSuchSchedule.

        DBOS's processes notice within 30 seconds.

            client.pause_schedule("nightly")
        """
        return self._portal.call(self._async.pause_schedule, schedule_name)

    def resume_schedule(self, schedule_name: str) -> None:
        """Let a schedule go on from now: what it missed is not caught up. Raises NoSuchSchedule.

        client.resume_schedule("nightly")
        """
        return self._portal.call(self._async.resume_schedule, schedule_name)

    def delete_schedule(self, schedule_name: str) -> bool:
        """Delete a schedule; its runs stay. Returns whether there was one.

        client.delete_schedule("nightly")
        """
        return self._portal.call(self._async.delete_schedule, schedule_name)

    def trigger_schedule(self, schedule_name: str) -> WorkflowHandle[Any]:
        """Start a schedule's workflow now, whatever its status; returns the run's handle.

        The run of a schedule that DBOS TypeScript keeps is written as it writes it. Raises NoSuchSchedule,
        and DecodeError if its context cannot be read here.

            handle = client.trigger_schedule("nightly")
        """
        return WorkflowHandle(self._portal.call(self._async.trigger_schedule, schedule_name), self._portal)

    def backfill_schedule(
        self, schedule_name: str, start: datetime, end: datetime, *, dry_run: bool = False
    ) -> list[WorkflowHandle[Any]]:
        """Start what a schedule had to fire between two instants, both outside; returns the runs' handles.

        Instants without a zone are UTC. What has run already is not run again: its handle is returned. All
        runs are enqueued, or none; with `dry_run` nothing is. Raises NoSuchSchedule, DecodeError, and
        InvalidOption for a range without end or with more than 100,000 times.

            client.backfill_schedule("nightly", datetime(2026, 11, 1), datetime(2026, 11, 8))
        """
        return [
            WorkflowHandle(item, self._portal)
            for item in self._portal.call(
                self._async.backfill_schedule, schedule_name, start, end, dry_run=dry_run
            )
        ]

    def preview_schedule(
        self, schedule_name: str, count: int = 5, *, after: datetime | None = None
    ) -> list[datetime]:
        """Return the next `count` times of a schedule, in its zone: what a change of the clock does shows.

        Raises NoSuchSchedule, and InvalidOption if its expression cannot be read.

            for time in client.preview_schedule("nightly"): print(time)
        """
        return self._portal.call(self._async.preview_schedule, schedule_name, count, after=after)

    def explain(self, workflow_id: str) -> Explanation:
        """Return the one reason why a workflow is not running, or what it does.

        Raises NoSuchWorkflow. In a database that only DBOS has used it is told from DBOS's tables.

            print(client.explain("order-17").message)
        """
        return self._portal.call(self._async.explain, workflow_id)

    def list_dead_letters(self, filter: WorkflowFilter | None = None) -> list[WorkflowStatus]:
        """Return the workflows that were set aside after more than `max_recovery_attempts` recoveries.

        Each of their attempts ended with the death of its process. The filter's status does not count.

            for dead in client.list_dead_letters(): print(dead.workflow_id, dead.recovery_attempts)
        """
        return self._portal.call(self._async.list_dead_letters, filter)

    def requeue_dead_letters(
        self,
        workflows: Sequence[str] | WorkflowFilter | None = None,
        *,
        queue_name: str | None = None,
        dry_run: bool = False,
    ) -> list[str]:
        """Resume workflows that were set aside, by id or filter, or all; returns their ids.

        They go on from their last recorded operation, with their attempts counted anew, on `queue_name` or
        DBOS's internal queue. With `dry_run` nothing is changed.

            client.requeue_dead_letters(WorkflowFilter(name="purchaseTicket"), dry_run=True)
        """
        return self._portal.call(
            self._async.requeue_dead_letters, workflows, queue_name=queue_name, dry_run=dry_run
        )

    def diagnose(self) -> list[Finding]:
        """Look at connection, server, tables, privileges and work; return what was seen and what to do.

        It only reads, on connections of its own, and raises nothing about the database's state: a server that
        is gone is a finding, too. It takes up to some seconds where a queue is very long.

            for finding in client.diagnose(): print(finding.level, finding.check, finding.seen)
        """
        return self._portal.call(self._async.diagnose)

    def create_account(
        self, name: str, *, password: str, role: Role = "viewer", sees_payloads: bool = True
    ) -> Account:
        """Create a person's account for the console; returns it. Raises AccountExists.

        A viewer looks, an operator acts on workflows, queues and schedules, an admin also deletes and manages
        accounts. Only a hash of the password (8 to 1,000 characters) is kept.

            client.create_account("grace", password="correct horse battery", role="operator")
        """
        return self._portal.call(
            self._async.create_account, name, password=password, role=role, sees_payloads=sees_payloads
        )

    def get_account(self, name: str) -> Account:
        """Return an account. Raises NoSuchAccount.

        print(client.get_account("ada").role)
        """
        return self._portal.call(self._async.get_account, name)

    def list_accounts(self) -> list[Account]:
        """Return the accounts by name; none in a database that durably has not been migrated to.

        for account in client.list_accounts(): print(account.name, account.role)
        """
        return self._portal.call(self._async.list_accounts)

    def update_account(
        self,
        name: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        sees_payloads: bool | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Change what is given of an account; returns it. Raises NoSuchAccount.

        Another password, or `disabled`, logs the account out everywhere at once.

            client.update_account("ada", role="viewer", disabled=True)
        """
        return self._portal.call(
            self._async.update_account,
            name,
            password=password,
            role=role,
            sees_payloads=sees_payloads,
            disabled=disabled,
        )

    def log_in(self, name: str, password: str, *, lasts: Seconds = WORKDAY) -> str | None:
        """Return the token of a new session of `lasts` seconds; None if name or password are wrong.

        It takes the same time for a name that there is not, and tells nothing more.

            token = client.log_in("ada", "correct horse battery")
        """
        return self._portal.call(self._async.log_in, name, password, lasts=lasts)

    def account_of_session(self, token: str) -> Account | None:
        """Return whose session it is; None if it is over, or the account is disabled.

        account = client.account_of_session("...")
        """
        return self._portal.call(self._async.account_of_session, token)

    def log_out(self, token: str) -> bool:
        """End a session; returns whether there was one.

        client.log_out("...")
        """
        return self._portal.call(self._async.log_out, token)

    def create_token(
        self,
        name: str,
        *,
        role: Role = "viewer",
        sees_payloads: bool = True,
        lasts: Seconds | None = None,
        created_by: str | None = None,
    ) -> NewApiToken:
        """Create a token for a program that calls the HTTP API; returns it with its secret.

        The secret is shown this once: only its hash is kept. `lasts` seconds (None: until it is revoked),
        `created_by` is the role of the database unless given.

            made = client.create_token("deploy", role="operator", lasts=90 * 86400)
            print(made.secret)
        """
        return self._portal.call(
            self._async.create_token,
            name,
            role=role,
            sees_payloads=sees_payloads,
            lasts=lasts,
            created_by=created_by,
        )

    def list_tokens(self) -> list[ApiToken]:
        """Return the tokens, the newest first, those that are over or revoked too; never their secrets.

        for token in client.list_tokens(): print(token.name, token.last_used_at)
        """
        return self._portal.call(self._async.list_tokens)

    def revoke_token(self, token_id: str) -> bool:
        """Let a token be valid no more, at once; returns False when it was not. Raises NoSuchToken.

        client.revoke_token("f00dfeed0001")
        """
        return self._portal.call(self._async.revoke_token, token_id)

    def token_of_secret(self, secret: str) -> ApiToken | None:
        """Return the token of a secret, and note its use; None if it is unknown, over or revoked.

        token = client.token_of_secret("durably_...")
        """
        return self._portal.call(self._async.token_of_secret, secret)

    def keeps_audit(self) -> bool:
        """Return whether this database has the audit's table.

        print(client.keeps_audit())
        """
        return self._portal.call(self._async.keeps_audit)

    def begin_audit(
        self,
        who: str,
        verb: str,
        *,
        kind: str,
        target: str | Sequence[str] = (),
        detail: Mapping[str, Any] | None = None,
        source: AuditSource = "cli",
    ) -> int | None:
        """Note that somebody begins to do something; returns the entry's number, None where none is kept.

        `kind` is what the targets are: workflow, queue, schedule, ... Never put a payload or a secret into
        `detail` (JSON). `end_audit` tells how it ended; an entry that stays `began` was interrupted.

            entry = client.begin_audit("ada", "pause", kind="queue", target="emails")
            client.end_audit(entry, "done")
        """
        return self._portal.call(
            self._async.begin_audit, who, verb, kind=kind, target=target, detail=detail, source=source
        )

    def end_audit(self, audit_id: int | None, outcome: AuditOutcome, did: str | None = None) -> None:
        """Note how what was begun has ended, `did` in words; does nothing for None.

        client.end_audit(None, "done", "12 cancelled, 3 had ended")
        """
        return self._portal.call(self._async.end_audit, audit_id, outcome, did)

    def list_audit(
        self,
        *,
        who: str | None = None,
        verb: str | None = None,
        kind: str | None = None,
        target: str | None = None,
        outcome: AuditOutcome | None = None,
        source: AuditSource | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Return what was done, the newest first; the next page is `before` the last entry's `audit_id`.

        Instants are aware datetimes. Raises DatabaseError where no audit is kept.

            for entry in client.list_audit(kind="queue", limit=20): print(entry.who, entry.verb)
        """
        return self._portal.call(
            self._async.list_audit,
            who=who,
            verb=verb,
            kind=kind,
            target=target,
            outcome=outcome,
            source=source,
            since=since,
            until=until,
            before=before,
            after=after,
            limit=limit,
        )

    def get_workflow_payloads(self, workflow_id: str, *, most: int | None = None) -> WorkflowPayloads:
        """Return a workflow's input, and its output or error, as stored and, where they can be, decoded.

        Of each, `most` characters are read (None: all); what is longer is cut, and not decoded. Raises
        NoSuchWorkflow.

            print(client.get_workflow_payloads("order-17", most=10_000).input)
        """
        return self._portal.call(self._async.get_workflow_payloads, workflow_id, most=most)

    def list_step_records(
        self,
        workflow_id: str,
        *,
        after: int = -1,
        limit: int = 100,
        only_failed: bool = False,
        most: int | None = 1000,
    ) -> list[StepRecord]:
        """Return up to `limit` recorded operations behind the operation `after`, in order.

        With the state of their children, and up to `most` characters of what they recorded. The next page is
        behind the last one's `function_id`.

            page = client.list_step_records("order-17", after=100)
        """
        return self._portal.call(
            self._async.list_step_records,
            workflow_id,
            after=after,
            limit=limit,
            only_failed=only_failed,
            most=most,
        )

    def summarize_steps(self, workflow_id: str, *, bins: int = 100) -> StepSummary:
        """Return how many operations a workflow has recorded and when, without reading what they recorded.

        print(client.summarize_steps("order-17").failed)
        """
        return self._portal.call(self._async.summarize_steps, workflow_id, bins=bins)

    def list_workflow_family(
        self, workflow_id: str, *, limit: int = 300, breadth: int = 100
    ) -> list[FamilyMember]:
        """Return a workflow with its ancestors and descendants, by depth, which is 0 for itself.

        Of each one's children at most `breadth`, of all its descendants the nearest `limit`. Raises
        NoSuchWorkflow.

            for run in client.list_workflow_family("order-17"): print("  " * run.depth, run.name)
        """
        return self._portal.call(self._async.list_workflow_family, workflow_id, limit=limit, breadth=breadth)

    def get_workflow_attempts(self, workflow_id: str, *, most: int = 10000) -> WorkflowAttempts | None:
        """Return what is known of a workflow's attempts: those of its `retry`, and the executor that has it.

        None where the database has no tables of durably's, and for an id that does not exist.

            attempts = client.get_workflow_attempts("order-17")
            print(attempts and attempts.is_alive)
        """
        return self._portal.call(self._async.get_workflow_attempts, workflow_id, most=most)

    def list_message_records(
        self,
        workflow_id: str,
        *,
        before: tuple[int, str] | None = None,
        limit: int = 100,
        most: int | None = 1000,
    ) -> list[MessageRecord]:
        """Return messages to a workflow, the newest first, with up to `most` characters of each.

        `before` is the `created_at_epoch_ms` and `message_uuid` of the last one of the page before.

            newest = client.list_message_records("order-17", limit=10)
        """
        return self._portal.call(
            self._async.list_message_records, workflow_id, before=before, limit=limit, most=most
        )

    def list_event_records(
        self, workflow_id: str, *, before: int | None = None, limit: int = 100, most: int | None = 1000
    ) -> list[EventRecord]:
        """Return the values that a workflow's events have had before an operation, the latest first.

        for event in client.list_event_records("order-17"): print(event.key, event.is_latest)
        """
        return self._portal.call(
            self._async.list_event_records, workflow_id, before=before, limit=limit, most=most
        )

    def list_stream_keys(self, workflow_id: str, *, limit: int = 100) -> list[StreamInfo]:
        """Return the streams of a workflow, by key: how many values each has, and whether it is closed.

        for stream in client.list_stream_keys("chat-17"): print(stream.key, stream.values)
        """
        return self._portal.call(self._async.list_stream_keys, workflow_id, limit=limit)

    def list_stream_records(
        self, workflow_id: str, key: str, *, offset: int = 0, limit: int = 100, most: int | None = 1000
    ) -> list[StreamRecord]:
        """Return values of a stream from an offset on that are there now, up to `most` characters of each.

        tail = client.list_stream_records("chat-17", "tokens", offset=100)
        """
        return self._portal.call(
            self._async.list_stream_records, workflow_id, key, offset=offset, limit=limit, most=most
        )


class WorkflowHandle(Generic[R_co]):
    """A workflow by its id: its result, its status, and what can be done with it.

    Two handles are equal when they are of the same workflow. Nothing is kept on the server. In a workflow
    (`aio.client()` gives handles there) each call is an operation, which is recorded.

        handle = client.enqueue(options, 17)
        print(handle.workflow_id, handle.get_result(timeout=30))
    """

    def __init__(self, twin: AsyncWorkflowHandle[R_co], portal: Portal) -> None:
        self._async = twin
        self._portal = portal

    @property
    def workflow_id(self) -> str:
        """The workflow's id.

        print(handle.workflow_id)
        """
        return self._async.workflow_id

    @property
    def created(self) -> bool | None:
        """Whether the start that returned this handle made the workflow: False where the id was in use.

        None for a handle that no start returned.

            print(handle.created)
        """
        return self._async.created

    @property
    def arguments_ignored(self) -> bool | None:
        """Whether that start met a workflow with other arguments, which its own were dropped for.

        None for a handle that no start returned, or where the two could not be compared.

            print(handle.arguments_ignored)
        """
        return self._async.arguments_ignored

    def get_result(self, timeout: Seconds | None = None, *, missing_ok: bool = False) -> R_co:
        """Wait for the workflow's end: its result, or its error raised.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout; the workflow goes on.
        Raises what the workflow raised where its class is known here (`create(errors=[...])`), else
        WorkflowFailed; WorkflowCancelled; RecoveryAttemptsExceeded; within a second NoSuchWorkflow, unless
        `missing_ok`: then an id that is yet to be enqueued is waited for.

            ticket = handle.get_result(timeout=30)
        """
        return self._portal.call(self._async.get_result, timeout, missing_ok=missing_ok)

    def get_status(self) -> WorkflowStatus:
        """Return what the system database shows of it now. Raises NoSuchWorkflow.

        status = handle.get_status()
        """
        return self._portal.call(self._async.get_status)

    def cancel(self, *, cancel_children: bool = False) -> bool:
        """Cancel it; returns False when it had already ended. See `cancel_workflow`.

        handle.cancel()
        """
        return self._portal.call(self._async.cancel, cancel_children=cancel_children)

    def resume(self, *, queue_name: str | None = None) -> None:
        """Put it back on a queue, to go on from its last recorded operation. See `resume_workflow`.

        handle.resume(queue_name="ticketQueue")
        """
        return self._portal.call(self._async.resume, queue_name=queue_name)

    def pause(self, *, reason: str | None = None, paused_by: str | None = None) -> None:
        """Pause it until it is unpaused. See `pause_workflow`.

        handle.pause(reason="the bank is closed")
        """
        return self._portal.call(self._async.pause, reason=reason, paused_by=paused_by)

    def unpause(self) -> bool:
        """Let it go on; returns False when it was not paused. See `unpause_workflow`.

        handle.unpause()
        """
        return self._portal.call(self._async.unpause)

    def delete(self, *, delete_children: bool = False) -> bool:
        """Delete it, and all that is recorded of it. See `delete_workflow`.

        handle.delete()
        """
        return self._portal.call(self._async.delete, delete_children=delete_children)

    def set_delay(self, *, delay: Seconds | None = None, delay_until: datetime | None = None) -> bool:
        """Delay it otherwise, where it is delayed. See `set_workflow_delay`.

        handle.set_delay(delay=3600)
        """
        return self._portal.call(self._async.set_delay, delay=delay, delay_until=delay_until)

    def set_priority(self, priority: int) -> bool:
        """Give it another priority, where it waits. See `set_workflow_priority`.

        handle.set_priority(1)
        """
        return self._portal.call(self._async.set_priority, priority)

    def update_attributes(self, attributes: Mapping[str, Any] | None, *, merge: bool = False) -> None:
        """Give it other attributes. See `update_workflow_attributes`.

        handle.update_attributes({"reviewed_by": "ada"}, merge=True)
        """
        return self._portal.call(self._async.update_attributes, attributes, merge=merge)

    def fork(
        self,
        start_step: StartStep = None,
        *,
        new_workflow_id: str | None = None,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
        replacement_children: Mapping[str, str] | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> WorkflowHandle[R_co]:
        """Begin a new workflow with what this one recorded before `start_step`. See `fork_workflow`.

        fork = handle.fork("failure")
        """
        return WorkflowHandle(
            self._portal.call(
                self._async.fork,
                start_step,
                new_workflow_id=new_workflow_id,
                app_version=app_version,
                queue_name=queue_name,
                queue_partition_key=queue_partition_key,
                timeout=timeout,
                replacement_children=replacement_children,
                arguments=arguments,
                outputs=outputs,
            ),
            self._portal,
        )

    def rewind(
        self,
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> None:
        """Let it go on from `start_step`, once it has ended. See `rewind_workflow`.

        handle.rewind("failure")
        """
        return self._portal.call(
            self._async.rewind,
            start_step,
            app_version=app_version,
            queue_name=queue_name,
            queue_partition_key=queue_partition_key,
            arguments=arguments,
            outputs=outputs,
        )

    def send(self, message: Any, topic: str | None = None, idempotency_key: str | None = None) -> None:
        """Send it a message. See the client's `send`.

        handle.send({"ok": True}, topic="approval")
        """
        return self._portal.call(self._async.send, message, topic, idempotency_key)

    def ask(
        self,
        question: Any,
        topic: str | None = None,
        *,
        timeout: Seconds = 60.0,
        type_: Any = Any,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask it, and return its reply. See the client's `ask`.

        answer = handle.ask({"may": "ship"}, "questions", timeout=10)
        """
        return self._portal.call(
            self._async.ask, question, topic, timeout=timeout, type_=type_, idempotency_key=idempotency_key
        )

    def get_event(
        self, key: str, timeout_seconds: Seconds = 60, type_: Any = Any, *, missing_ok: bool = False
    ) -> Any:
        """Return the value of an event of it, or None when it has not come in time. See the client's.

        status = handle.get_event("status", timeout_seconds=10)
        """
        return self._portal.call(self._async.get_event, key, timeout_seconds, type_, missing_ok=missing_ok)

    def get_all_events(self) -> dict[str, Any]:
        """Return the latest value of each of its events, by key.

        stage = handle.get_all_events()["status"]
        """
        return self._portal.call(self._async.get_all_events)

    def read_stream(
        self, key: str, *, offset: int = 0, timeout: Seconds | None = None, type_: Any = Any
    ) -> Iterator[Any]:
        """Return the values of a stream of it, as they come, until it ends. See the client's `read_stream`.

        for token in handle.read_stream("tokens"): print(token)
        """
        return self._portal.iterate(self._async.read_stream, key, offset=offset, timeout=timeout, type_=type_)

    def steps(self) -> Sequence[StepInfo]:
        """Return its recorded operations, in order.

        names = [step.function_name for step in handle.steps()]
        """
        return self._portal.call(self._async.steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkflowHandle) and self._async == other._async

    def __hash__(self) -> int:
        return hash(self._async)

    def __repr__(self) -> str:
        return repr(self._async).replace("AsyncWorkflowHandle", "WorkflowHandle", 1)
