"""What the database thinks this executor runs, beside what it runs: compared in pages, behind the heartbeat.

However much is parked, a page is two thousand runs and a look five pages, so nothing waits long. What a look
does not get to is the next look's: a difference is found within as many looks as there are ten thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, TypeAlias

from durably.core.ports import ExecutorIdentity, Store

__all__ = ["Comparison", "Tokens"]

Pair: TypeAlias = tuple[str, str]  # workflow id, owner token

PAGE = 2000  # runs, and rows, of one statement
PAGES = 5  # statements of one look
START = -(2**63)  # before every instant of creation
IDLE = 9  # pulses between the looks of an executor that runs nothing


class Tokens(Protocol):
    """The owner tokens of claims that are under way, and of those whose answer was lost."""

    in_flight: set[str]
    unanswered: set[str]


class Comparison:
    """Finds runs that are not ours any more, and rows that are ours and do not run; see the module."""

    def __init__(
        self,
        *,
        store: Store,
        identity: Callable[[], ExecutorIdentity],
        running: Callable[[], Collection[Pair]],
        claims: Tokens,
    ) -> None:
        self._store = store
        self._identity = identity
        self._running = running
        self._claims = claims
        self._foreign: set[Pair] = set()  # suspects of the last look
        self._strays: set[Pair] = set()
        self._round: list[Pair] = []  # runs that are yet to be asked about
        self._after = START
        self._pulses = self._beats = 0

    def is_due(self) -> bool:
        """Whether to look at this beat: at once where something is suspected, else at every other one."""
        self._beats += 1
        if self._claims.unanswered or self._foreign or self._strays:
            return True
        return self._beats % 2 == 0 and bool(self._running())

    def is_due_at_rest(self) -> bool:
        """Whether to look behind this pulse, on its connection: an executor that runs nothing asks little."""
        self._pulses += 1
        return self._pulses % IDLE == 0 and not self._running()

    async def look(self) -> tuple[list[Pair], list[Pair]]:
        """What to interrupt, and what to release.

        That is what two looks in a row show, for in between claims and outcomes are on their way; and at once
        what was claimed where the answer to the claim was lost, for which all rows are read.
        """
        unanswered, self._claims.unanswered = self._claims.unanswered, set()
        suspects = self._foreign | self._strays
        try:
            foreign, owned = await self._read(suspects, is_whole=bool(unanswered))
        except BaseException:
            self._claims.unanswered |= unanswered
            raise
        owned |= self._strays - foreign
        ours = set(self._running())
        self._foreign = foreign & ours
        self._strays = {pair for pair in owned - ours if pair[1] not in self._claims.in_flight}
        confirmed = suspects | {pair for pair in self._strays if pair[1] in unanswered}
        return sorted(self._foreign & confirmed), sorted(self._strays & confirmed)

    async def _read(self, suspects: set[Pair], *, is_whole: bool) -> tuple[set[Pair], set[Pair]]:
        foreign: set[Pair] = set()
        owned: set[Pair] = set()
        asked = [*suspects, *self._next_runs()]
        if is_whole:
            self._after = START
        pages, is_read = 0, False
        while asked or not is_read:
            answer = await self._store.compare(
                self._identity().executor_id, asked[:PAGE], self._after, 0 if is_read else PAGE
            )
            asked, pages = asked[PAGE:], pages + 1
            foreign.update(answer.foreign)
            owned.update(answer.owned)
            if not is_read:
                self._after = START if answer.edge is None else answer.edge
                is_read = answer.edge is None or (pages >= PAGES and not is_whole)
        return foreign, owned

    def _next_runs(self) -> list[Pair]:
        if not self._round:
            self._round = list(self._running())
        most = PAGE * PAGES
        runs, self._round = self._round[:most], self._round[most:]
        return runs
