"""The dashboard and the alert rules ask for metrics and labels that are exported, and for all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from durably import AsyncDBOSClient, EnqueueOptions
from durably.console.metrics import MetricsPage
from durably.integrations.prometheus import Prometheus
from tests.observability.scraping import Scrape
from tests.observability.test_metrics import shop

GRAFANA = Path(__file__).resolve().parents[2] / "docs" / "grafana"
METRIC = re.compile(r"\bdurably_\w+")
SELECTED = re.compile(r"(\bdurably_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*=?[~!=]")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
TEMPLATED = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
ADDED = {"job", "instance", "le"}  # by Prometheus, and by histograms


@pytest.fixture
async def exported(database_url: str) -> list[Scrape]:
    """What a worker and the console export, after work that met everything."""
    own = Prometheus()
    async with shop(database_url, own) as app:
        order = EnqueueOptions[..., Any](workflow_name="order", queue_name="orders")
        handles = [await app.client.enqueue(order, number) for number in (1, -1)]
        assert await handles[0].get_result() == 1
        with pytest.raises(ValueError):
            await handles[1].get_result()
        worker = Scrape(own.exposition().decode())
        async with AsyncDBOSClient.create(system_database_url=database_url) as client:
            console = Scrape(bytes((await MetricsPage(client).answer()).body).decode())
    return [worker, console]


def panels() -> list[dict[str, Any]]:
    board = json.loads((GRAFANA / "durably.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, str]:
    """Every query, by where it stands."""
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels()
        for target in panel["targets"]
    }
    return found | {rule["alert"]: rule["expr"] for rule in rules()}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((GRAFANA / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def test_every_metric_and_label_that_is_asked_for_is_exported(exported: list[Scrape]) -> None:
    labels: dict[str, set[str]] = {}
    for scrape in exported:
        for name in scrape.names:
            labels.setdefault(name, set()).update(*(each.keys() for each in scrape.labels(name)))
    for where, expr in expressions().items():
        asked = SELECTED.findall(expr)
        assert asked, where
        known = set().union(ADDED, *(labels[name] for name, _ in asked if name in labels))
        for name, conditions in asked:
            assert name in labels, (where, name)
            assert set(LABEL.findall(conditions)) <= labels[name] | ADDED, (where, name, conditions)
        for group in GROUPED.findall(expr):
            assert {label.strip() for label in group.split(",")} <= known, (where, group)


async def test_every_metric_that_is_exported_is_looked_at(exported: list[Scrape]) -> None:
    asked = {name for expr in expressions().values() for name in METRIC.findall(expr)}
    asked |= {re.sub(r"_(bucket|count|sum|total|info)$", "", name) for name in asked}
    families = {family.name for scrape in exported for family in scrape.families}
    assert {name for name in families if name not in asked} == set()


def test_legends_and_messages_name_labels_that_are_there() -> None:
    for panel in panels():
        for target in panel["targets"]:
            wanted = set(TEMPLATED.findall(target["legendFormat"]))
            grouped = {label.strip() for g in GROUPED.findall(target["expr"]) for label in g.split(",")}
            assert wanted <= grouped | ADDED, panel["title"]
    for rule in rules():
        text = rule["annotations"]["summary"]
        grouped = {label.strip() for g in GROUPED.findall(rule["expr"]) for label in g.split(",")}
        wanted = set(re.findall(r"\$labels\.(\w+)", text))
        assert wanted <= grouped | {"instance", "table"}, rule["alert"]


def test_panels_do_not_overlap_and_have_a_unit_and_a_description() -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["title"] for panel in panels()}) == len(panels())
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
        assert panel["fieldConfig"]["defaults"]["unit"] and panel["description"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_expressions_are_balanced() -> None:
    for where, expr in expressions().items():
        for opening, closing in ("()", "{}", "[]"):
            assert expr.count(opening) == expr.count(closing), where
        assert expr.count('"') % 2 == 0, where


def test_every_alert_says_how_bad_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
