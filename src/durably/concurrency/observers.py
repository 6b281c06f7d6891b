"""Several observers as one, which cannot harm: what an observer raises is logged, once for each method."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from durably.errors import InvalidOption
from durably.observing import (
    NOBODY,
    CallFacts,
    Observer,
    OperationFacts,
    RunFacts,
    RunOutcome,
    Vitals,
    Watch,
)

__all__ = ["Observers", "observers"]

logger = logging.getLogger(__name__)


def observers(given: Iterable[Observer]) -> Observer:
    """One observer that tells these; NOBODY where there is none. InvalidOption for what is no observer."""
    those = list(given)
    for each in those:
        if not isinstance(each, Observer):
            raise InvalidOption("observers", each, "each is an instance of durably.observing.Observer")
    return Observers(those) if those else NOBODY


class Observers(Observer):
    """See the module."""

    def __init__(self, those: Sequence[Observer]) -> None:
        self._those = those
        self._broken: set[str] = set()

    def call(self, facts: CallFacts) -> Watch:
        return self._watch([self.safely(each.call, facts) for each in self._those])

    def run(self, facts: RunFacts) -> Watch:
        return self._watch([self.safely(each.run, facts) for each in self._those])

    def operation(self, facts: OperationFacts) -> Watch:
        return self._watch([self.safely(each.operation, facts) for each in self._those])

    def committed(self, records: int, seconds: float) -> None:
        for each in self._those:
            self.safely(each.committed, records, seconds)

    def claimed(self, queue_name: str, workflows: int, seconds: float) -> None:
        for each in self._those:
            self.safely(each.claimed, queue_name, workflows, seconds)

    def took_over(self, executors: int, workflows: int) -> None:
        for each in self._those:
            self.safely(each.took_over, executors, workflows)

    def loop_lagged(self, seconds: float) -> None:
        for each in self._those:
            self.safely(each.loop_lagged, seconds)

    def launched(self, vitals: Callable[[], Vitals]) -> None:
        for each in self._those:
            self.safely(each.launched, vitals)

    def ended(self) -> None:
        for each in self._those:
            self.safely(each.ended)

    def _watch(self, watches: list[Watch | None]) -> Watch:
        return _Watches(self, [watch for watch in watches if watch is not None])

    def safely(self, method: Callable[..., Any], *args: Any) -> Any:
        """What the observer's method returns, None if it raises."""
        try:
            return method(*args)
        except Exception:
            name = method.__qualname__
            if name not in self._broken:
                self._broken.add(name)
                logger.exception("%s of an observer failed; this is not logged again", name)
            return None


class _Watches(Watch):
    """The watches of several observers on one thing; those entered last are left first."""

    def __init__(self, of: Observers, watches: list[Watch]) -> None:
        self._of = of
        self._watches = watches

    def __enter__(self) -> _Watches:
        for watch in self._watches:
            self._of.safely(watch.__enter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watch in reversed(self._watches):
            self._of.safely(watch.__exit__, kind, error, trace)

    def identified(self, workflow_id: str) -> None:
        for watch in self._watches:
            self._of.safely(watch.identified, workflow_id)

    def retrying(self, attempt: int, error: BaseException, seconds: float) -> None:
        for watch in self._watches:
            self._of.safely(watch.retrying, attempt, error, seconds)

    def failed(self, error: BaseException) -> None:
        for watch in self._watches:
            self._of.safely(watch.failed, error)

    def ended(self, outcome: RunOutcome) -> None:
        for watch in self._watches:
            self._of.safely(watch.ended, outcome)
