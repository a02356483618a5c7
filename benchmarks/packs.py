"""Every pack: evaluations a second, for typical patients and for a mix of random ones."""

from datetime import UTC, datetime

from benchmarks.clock import Contender, race
from benchmarks.patients import TYPICAL, case_of, mixed, typical
from benchmarks.report import heading, note, rate, table
from service.checklist.evaluate import evaluate
from service.checklist.rules import Status
from service.checklist.trace import measure
from service.intake.documents import result_document, trace_document

EXPECTED = {"first": (0, 0), "later": (0, 0), "findings": (1, 2)}
WHEN = datetime(2026, 10, 6, 12, tzinfo=UTC)
HEAD = ("", "findings", "answers/s", "with documents/s", "deciding/s", "engine alone/s")


def report(library, effort):
    """Measure and print."""
    heading("Evaluations in one CPU second")
    note(
        """Answer: every check, with its findings, advice and trace verdicts. With documents: the result
        and the trace rendered as well. Deciding: measuring the facts, and the engine's verdicts. Engine
        alone: the verdicts from measured values."""
    )
    rows = []
    for pack in library.packs.values():
        rows.append([f"{pack.id}, {len(pack.rules)} rules", "", "", "", "", ""])
        groups = {said: [typical(library, pack.id, name)] for name, said in TYPICAL.items()}
        _refuse_surprises(library, pack.id, groups)
        groups[f"{effort.mixed} mixed patients"] = mixed(library, pack.id, effort.mixed)
        for said, requests in groups.items():
            rows.append([f"  {said}", _findings(library, requests), *_rates(library, requests, effort)])
    table(HEAD, rows)


def _findings(library, requests):
    checklists = [_answer(library)(request) for request in requests]
    faults = {checklist.trace.fault for checklist in checklists} - {None}
    if faults:
        raise SystemExit(f"not evaluated, so not timed: {', '.join(faults)}")
    found = [_found(checklist) for checklist in checklists]
    return str(found[0]) if len(found) == 1 else f"{sum(found) / len(found):.1f} mean"


def _found(checklist):
    return sum(finding.status is not Status.PASS for finding in checklist.findings)


def _refuse_surprises(library, drug, groups):
    """A typical patient who is no longer what the table calls them would be timed for nothing."""
    for (least, most), (said, requests) in zip(EXPECTED.values(), groups.items(), strict=True):
        found = _found(_answer(library)(requests[0]))
        if not least <= found <= most:
            raise SystemExit(f"{drug}: the patient called '{said}' has {found} findings")


def _rates(library, requests, effort):
    answer = _answer(library)
    decide, policy = library.engine(requests[0].pack).decide, library.policy.values
    values = {id(request): measure(request.pack, case_of(request, policy)) for request in requests}

    def documents(request):
        checklist = answer(request)
        result_document(checklist, request, library, id="0", evaluated_at=WHEN)
        trace_document(checklist)

    contenders = [
        Contender("answer", answer, requests),
        Contender("documents", documents, requests),
        Contender("deciding", lambda each: decide(measure(each.pack, case_of(each, policy))), requests),
        Contender("engine", lambda each: decide(values[id(each)]), requests),
    ]
    race(contenders, effort.rounds)
    return [rate(each.rate) for each in contenders]


def _answer(library):
    policy = library.policy.values

    def answer(request):
        return evaluate(request.pack, request.situation, policy, library.engine(request.pack))

    return answer
