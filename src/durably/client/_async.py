"""The client: one class, composed of a part for each noun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from durably.client._accounts import Accounts
from durably.client._activity import Activity
from durably.client._audit import Audit
from durably.client._debounce import Debouncing
from durably.client._enqueue import Enqueueing
from durably.client._events import Events
from durably.client._explaining import Explaining
from durably.client._forks import Forks
from durably.client._inspection import Inspection
from durably.client._inventory import Inventory
from durably.client._management import Management
from durably.client._messages import Messages
from durably.client._opening import Opening
from durably.client._overview import Overviews
from durably.client._pausing import Pausing
from durably.client._questions import Questions
from durably.client._queues import Queues
from durably.client._results import Results
from durably.client._schedules import Schedules
from durably.client._search import Searching
from durably.client._session import Session, Settings
from durably.client._streams import Streams
from durably.client._updates import Updates
from durably.client._versions import Versions
from durably.client._workflows import Workflows
from durably.client.diagnosing import Diagnosing
from durably.codec import Codec, Codecs
from durably.concurrency.observers import observers as told
from durably.config import default_url
from durably.config import system_database_url as find_system_database
from durably.core import checks
from durably.observing import NOBODY, Observer
from durably.store.database import Database
from durably.types import Seconds

__all__ = ["AsyncDBOSClient"]


class AsyncDBOSClient(
    Enqueueing,
    Debouncing,
    Results,
    Messages,
    Questions,
    Events,
    Streams,
    Workflows,
    Searching,
    Overviews,
    Management,
    Pausing,
    Updates,
    Forks,
    Versions,
    Queues,
    Inventory,
    Activity,
    Schedules,
    Explaining,
    Diagnosing,
    Accounts,
    Audit,
    Inspection,
):
    """Drives a DBOS application, in whatever language it is written, from outside, through its database.

    Any number of tasks and threads may use it at once. However many wait, they share one connection and one
    query. While the database is away, calls try again.

        async with AsyncDBOSClient.create("postgresql://localhost/shop") as client:
            handle = await client.enqueue(EnqueueOptions(workflow_name="add", queue_name="sums"), 1, 2)
            print(await handle.get_result())
    """

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
    ) -> Opening[Self]:
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

            client = await AsyncDBOSClient.create("postgresql://localhost/shop")
        """
        settings = Settings(
            url=find_system_database(
                database_url or default_url(), system_database, outright=system_database_url
            ),
            schema=checks.name("schema", schema),
            application_name=checks.optional_name("application_name", application_name),
            pool_size=checks.whole("pool_size", pool_size, least=1, most=1000),
            codecs=Codecs(codec, allow=allow_serializations, errors=errors),
            listen=listen,
            retry_for=checks.duration("retry_for", retry_for, zero=True) or 0.0,
            observer=told(observers),
        )
        return Opening(lambda: cls._connect(settings))

    @classmethod
    async def _connect(cls, settings: Settings) -> Self:
        session = Session(settings)
        await session.start()
        return cls(session)

    @classmethod
    def _over(
        cls,
        database: Database,
        *,
        codecs: Codecs,
        application_name: str,
        listen: bool,
        observer: Observer = NOBODY,
    ) -> Self:
        """A client on the connections of an application, which opens and closes them itself."""
        settings = Settings(
            url=database.url,
            schema=database.schemas.system,
            application_name=application_name,
            pool_size=1,
            codecs=codecs,
            listen=listen,
            retry_for=60.0,
            observer=observer,
        )
        return cls(Session.over(settings, database))

    @property
    def schema(self) -> str:
        """The schema that DBOS's tables are in.

        print(client.schema)
        """
        return self._session.settings.schema

    @property
    def application_name(self) -> str | None:
        """The application that this client works for, if it was given one.

        print(client.application_name)
        """
        return self._session.settings.application_name

    async def destroy(self) -> None:
        """Close the connections; calls that wait end with NotRunning. Doing it twice is fine.

        await client.destroy()
        """
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.destroy()
