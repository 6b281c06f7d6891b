"""Transactions with SQLAlchemy: connections and sessions of both colours, on its psycopg dialect."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from durably.store.datasources import Opened, is_transient
from durably.store.sql import Schemas

__all__ = ["SQLAlchemySource"]


class SQLAlchemySource:
    """See `durably.engine.transactions.Datasource`; one for each kind of connection or session."""

    def __init__(self, kind: str, url: str, schemas: Schemas, *, together: bool, size: int) -> None:
        self.together = together
        self._kind = kind
        self._schemas = schemas
        address = make_url(url).set(drivername="postgresql+psycopg")
        self._engine: Engine | None = None
        self._async_engine: AsyncEngine | None = None
        if "Async" in kind:
            self._async_engine = create_async_engine(address, pool_size=size, hide_parameters=True)
        else:
            self._engine = create_engine(address, pool_size=size, max_overflow=-1, hide_parameters=True)

    @contextlib.contextmanager
    def begin(self, isolation: str) -> Iterator[Opened]:
        """A transaction on a Connection, or in a Session."""
        assert self._engine is not None
        engine = self._engine.execution_options(isolation_level=isolation)
        with Session(engine) if self._kind.endswith("Session") else engine.connect() as connection:
            with connection.begin() as block:
                opened = Opened(connection, self._schemas)
                yield opened
                if isinstance(connection, Session):
                    connection.flush()
                if not opened.commit:
                    block.rollback()

    @contextlib.asynccontextmanager
    async def begin_async(self, isolation: str) -> AsyncIterator[Opened]:
        """The same on an AsyncConnection, or in an AsyncSession."""
        assert self._async_engine is not None
        engine = self._async_engine.execution_options(isolation_level=isolation)
        async with AsyncSession(engine) if self._kind.endswith("Session") else engine.connect() as connection:
            async with connection.begin() as block:
                opened = Opened(connection, self._schemas)
                yield opened
                if not opened.commit:
                    await block.rollback()

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same transaction may succeed a moment later."""
        return is_transient(error)

    async def close(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()
        if self._async_engine is not None:
            await self._async_engine.dispose()
