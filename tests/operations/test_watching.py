"""Alerts, dashboard and guide name what there is: each metric, label, field and event is one of ours."""

import itertools
import json
import re

import promql_parser
import pytest
import yaml

from service import logs
from service.knowledge.on_disk import State
from service.web.metrics import METHODS
from tests.builders import ROOT

pytestmark = pytest.mark.any_database
GUIDE = ROOT / "docs/monitoring.md"
OTHERS = {
    "up": {"job"},
    "node_systemd_unit_state": {"name", "state"},
}  # of Prometheus and of its node exporter
WORDS = {
    "status": {"pass", "warn", "block", *map(str, range(200, 600))},
    "method": METHODS,
    "state": {*State, "waiting", "dead", "told", "paused"},
}
DURATION = re.compile(r"[0-9]+[smhd]")


def alerts():
    [group] = yaml.safe_load((ROOT / "docs/deployment/alerts.yml").read_text("utf-8"))["groups"]
    return group["rules"]


def panels():
    return json.loads((ROOT / "docs/deployment/dashboard.json").read_text("utf-8"))["panels"]


def expressions():
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in alerts()] + [each.replace("$instance", ".*") for each in shown]


def selectors(expression):
    """Each metric that an expression names, with what its labels must be."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    below = ("lhs", "rhs", "expr", "vector_selector", "param")
    inner = [getattr(expression, name, None) for name in below] + list(
        getattr(expression, "args", None) or ()
    )
    for each in inner:
        if each is not None:
            yield from selectors(each)


@pytest.fixture
def families(client, clock):
    """The metrics of a service that has served for more than a day; its first process adds one."""
    clock.pass_by(days=1)
    client.get("/api/v1/journal")
    client.get("/nowhere")
    return set(re.findall(r"# TYPE (\w+)", client.get("/metrics").text)) | {"dosegate_rules_on_disk"}


@pytest.fixture
def known(scrape, families):
    """The labels of each metric that a scrape has, by its name."""
    names = {name for name, _ in scrape()} | families
    found = {name: set() for name in names}
    for name, labels in scrape():
        found[name] |= {label for label, _ in labels}
    labelled = {
        "dosegate_checklists_total": {"drug", "status"},
        "dosegate_rate_limited_total": {"endpoint"},
        "dosegate_rules_on_disk": {"state"},
    }
    return found | labelled | OTHERS


def test_each_expression_is_read_by_a_parser_and_names_what_a_scrape_has(known, app):
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    words = {**WORDS, "endpoint": routes}
    for expression in expressions():
        found = [*selectors(promql_parser.parse(expression))]
        assert found, expression
        for each in found:
            assert each.name in known, expression
            for matcher in each.matchers.matchers:
                if matcher.name in ("instance", "job"):
                    continue
                assert matcher.name in known[each.name], expression
                if each.name not in OTHERS:
                    for one in matcher.value.split("|"):
                        assert any(re.fullmatch(one, word) for word in words[matcher.name]), (expression, one)


def test_each_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do():
    rules = alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    headings = set(re.findall(r"^### (\w+)$", GUIDE.read_text("utf-8"), re.MULTILINE))
    assert headings == {rule["alert"] for rule in rules}
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert DURATION.fullmatch(rule["for"])
        assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
        assert set(rule["annotations"]) == {"summary", "action", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/monitoring.md#{rule['alert'].lower()}"


def test_the_dashboard_is_whole():
    shown = panels()
    assert len({panel["id"] for panel in shown}) == len(shown)
    places = [panel["gridPos"] for panel in shown]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def rows(title):
    """The first cells of the table with this title in its first column."""
    table = GUIDE.read_text("utf-8").partition(f"| {title} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_the_guide_lists_every_metric_field_and_event(families):
    assert set(rows("metric")) == families
    assert rows("field") == list(logs.FIELDS)
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "service").rglob("*.py"))
    logged = set(re.findall(r"\blog\.(?:debug|info|warning|error)\(\s*\"(\w+)\"", sources))
    assert set(rows("event")) == logged | {"library"}
