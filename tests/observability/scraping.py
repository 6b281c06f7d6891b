"""Scrapes: what a text exposition says, parsed as Prometheus does."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Scrape"]


class Scrape:
    """The samples of one exposition, by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self._samples = [sample for family in self.families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name that has these labels."""
        [value] = [s.value for s in self._samples if s.name == name and labels.items() <= s.labels.items()]
        return float(value)

    def total(self, name: str, **labels: str) -> float:
        """The sum of those that have these labels, 0 for none."""
        return sum(s.value for s in self._samples if s.name == name and labels.items() <= s.labels.items())

    @property
    def names(self) -> set[str]:
        """Of all samples."""
        return {sample.name for sample in self._samples}

    def labels(self, name: str) -> list[Mapping[str, str]]:
        """The labels of the samples of that name."""
        return [sample.labels for sample in self._samples if sample.name == name]
