"""Traces: a span a request by its route, and in it what takes time; nothing of who asks or about whom."""

import json
from importlib import metadata

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service import setting_values, tracing
from service.settings import BadSetting, Settings
from tests.api.sending import CHECKLISTS, post
from tests.api.test_privacy import CANARY, canaries
from tests.logged import logged

pytestmark = pytest.mark.any_database
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch):
    """The spans that have ended."""
    monkeypatch.setattr(tracing, "_tracers", [])
    kept = InMemorySpanExporter()
    tracing.begin(SimpleSpanProcessor(kept))
    return kept.get_finished_spans


def test_a_request_is_a_span_by_its_route_with_its_evaluation_and_its_transaction(client, spans, caplog):
    caplog.set_level("INFO")
    made = post(client, canaries(), traceparent=PARENT, tracestate=f"x={CANARY}", baggage=f"x={CANARY}")
    *inner, whole = spans()
    assert whole.name == f"POST {CHECKLISTS}"
    assert f"{whole.parent.span_id:016x}" == PARENT.split("-")[2]
    assert whole.attributes["dosegate.status"] == 201 and whole.attributes["dosegate.kind"] == "key"
    assert {each.name for each in inner} == {"evaluation", "transaction"}
    assert {each.parent.span_id for each in inner} == {whole.context.span_id}
    [line] = logged(caplog, "request")
    assert line["trace"] == PARENT.split("-")[1] == f"{whole.context.trace_id:032x}"
    client.get(made.headers["Location"])
    assert spans()[-1].name == f"GET {CHECKLISTS}/{{checklist_id}}"
    assert spans()[-1].parent is None


def test_a_failure_is_marked_and_its_words_are_not_told(client, spans, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError(CANARY)

    monkeypatch.setattr("service.records.making.answer_to", fail)
    post(client, canaries())
    client.get(f"/{CANARY}?x={CANARY}")
    with tracing.span("evaluation", patient=CANARY, route=f"/drugs/{CANARY}"):
        pass
    assert [each.status.is_ok for each in spans()] == [False, False, True, True]
    assert [each.name for each in spans()][:3] == ["evaluation", f"POST {CHECKLISTS}", "GET unmatched"]
    assert CANARY not in json.dumps([json.loads(each.to_json()) for each in spans()])


def test_without_the_packages_nothing_starts_that_should_trace(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("DOSEGATE_TRACING", "yes")
    monkeypatch.setattr(setting_values, "version", missing)
    with pytest.raises(BadSetting, match='DOSEGATE_TRACING needs the extra "tracing"'):
        Settings.from_environment()
