"""The figures of each rule, held against a count of the stored results and the journal by hand."""

import json
import random
import uuid
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from service.records.journal import Event
from service.records.quality import quality
from service.records.tables import cards
from tests.records.seeding import FIRST, HBV, IGG, PML, PRESCRIBER, answer, checklist, keep_many

RULES = {"hepatitis_b": ["hbv-screening-incomplete"], "pml": ["pml-signs"], "immunoglobulins": ["igg-low"]}
REASONS = ("risk-benefit-ratio", "need-more-info", "action-completed")


def traced(made, **more):
    """With a trace of these rules, and of others that only one version of the pack has."""
    checks = [
        {"check": check, "rules": [{"rule": rule} for rule in rules]}
        for check, rules in {**RULES, **more}.items()
    ]
    return replace(made, trace=json.dumps({"fault": None, "checks": checks}).encode())


def held_by_a_fault(made):
    return replace(made, status="block", flags=(), trace=b'{"checks":[],"facts":[],"fault":"engine"}')


def a_clinic(chance):
    """Checklists of two drugs with findings at random; some correct another one, some are held by a fault."""
    made = []
    for number in range(120):
        flags = [flag for flag in (HBV, PML, IGG) if chance.random() < 0.5]
        flags = [replace(flag, verdict=chance.choice(["holds", "undecided"])) for flag in flags]
        supersedes = made[-1].id if chance.random() < 0.2 and made and number % 2 else None
        drug = made[-1].drug if supersedes else chance.choice(["inebilizumab", "ibalizumab"])
        each = checklist(number, flags, drug=drug, supersedes=supersedes)
        each = traced(each, age=["under-18"]) if drug == "ibalizumab" else traced(each)
        made.append(held_by_a_fault(each) if chance.random() < 0.1 else each)
    return made


def answered_at_random(writing, made, chance):
    for each in made:
        for flag in each.flags:
            if chance.random() < 0.7:
                after = timedelta(seconds=chance.randrange(20_000), microseconds=chance.randrange(10**6))
                answer(writing, each, flag, chance.choice(REASONS), after=after)


def by_hand(sql, drug=None, first="", last="~"):
    """The same figures from the results, traces and journal entries themselves, one after the other."""
    rows = sql(
        "SELECT c.id, c.drug, c.created_at, c.supersedes, o.result, o.trace"
        " FROM checklists c JOIN contents o ON o.checklist = c.id"
    )
    corrected = {row[3] for row in rows}
    evaluated, verdicts, answers = Counter(), defaultdict(Counter), defaultdict(list)
    made = faults = 0
    for id, of, at, _, result, trace in rows:
        if id in corrected or (drug and of != drug) or not first <= at < last:
            continue
        made += 1
        faults += bool(parsed(trace)["fault"])
        for check in parsed(trace)["checks"]:
            evaluated.update((of, check["check"], rule["rule"]) for rule in check["rules"])
        if parsed(trace)["fault"]:
            continue
        for finding in parsed(result)["findings"]:
            if finding["rule"] is None:
                continue
            key = (of, finding["check"], finding["rule"])
            verdicts[key][finding["message"].rstrip(".").rsplit(" ", 1)[1]] += 1
            for event, details, answered in sql(
                "SELECT event, details, at FROM journal WHERE subject = ? AND event IN (?, ?)",
                *(id, "block.overridden", "warn.acknowledged"),
            ):
                said = parsed(details)
                if (said["check"], said["rule"]) == key[1:]:
                    answers[key].append((event, said["reason"], seconds(at, answered)))
    return made, faults, {key: figures(evaluated[key], verdicts[key], answers[key]) for key in evaluated}


def parsed(stored):
    return (
        stored
        if isinstance(stored, dict | list)
        else json.loads(bytes(stored) if not isinstance(stored, str) else stored)
    )


def seconds(before, after):
    return (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds()


def figures(evaluated, verdicts, answers):
    times = sorted(each[2] for each in answers)
    middle = len(times) // 2
    overridden = sum(each[0] == "block.overridden" for each in answers)
    found = verdicts.total()
    return {
        "evaluated": evaluated,
        "fired": verdicts["holds"],
        "undecided": verdicts["undecided"],
        "overridden": overridden,
        "acknowledged": len(answers) - overridden,
        "unanswered": found - len(answers),
        "reasons": dict(Counter(each[1] for each in answers)),
        "share_overridden": round(overridden / found, 4) if found else 0,
        "median_seconds_to_answer": (times[middle] + times[~middle]) / 2 if times else None,
        "p90_seconds_to_answer": next(
            (x for x in times if sum(y <= x for y in times) * 10 >= 9 * len(times)), None
        ),
    }


def test_every_figure_is_that_of_a_count_by_hand(records, basis, act, sql):
    chance = random.Random(7)
    made = a_clinic(chance)
    keep_many(records, basis, made)
    with records.writing() as writing:
        answered_at_random(writing, made, chance)
    middle = made[60].created_at
    for drug, first, last in ((None, None, None), ("ibalizumab", None, middle), (None, middle, None)):
        given = quality(records, act, first, last, drug).document()
        texts = (each.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if each else None for each in (first, last))
        checklists, faults, rules = by_hand(
            sql, drug, *(text or edge for text, edge in zip(texts, ("", "~"), strict=True))
        )

        assert (given["checklists"], given["held_by_a_fault"]) == (checklists, faults)
        listed = {(each.pop("drug"), each.pop("check"), each.pop("rule")): each for each in given["rules"]}
        for each in listed.values():
            each.pop("note")
            each.pop("cards")
        assert listed == rules
        assert faults
        assert any(each["overridden"] for each in rules.values())


@pytest.fixture
def figures_of(records, basis, act):
    """Keeps checklists and enters answers; gives the figures by rule, in order."""

    def run(made, *answers):
        keep_many(records, basis, made)
        with records.writing() as writing:
            writing.wrote_nothing = not answers
            for each, *more in answers:
                answer(writing, each, *more)
        return {each["rule"]: each for each in quality(records, act, None, None, None).document()["rules"]}

    return run


def test_what_is_overridden_most_comes_first_and_above_half_is_to_be_reviewed(figures_of):
    made = [traced(checklist(number, [HBV, PML])) for number in range(4)]
    rules = figures_of(made, *((each, PML) for each in made[:2]), *((each, HBV) for each in made[:3]))
    assert list(rules) == ["hbv-screening-incomplete", "pml-signs", "igg-low"]
    assert "review the rule" in rules["hbv-screening-incomplete"]["note"]
    assert rules["pml-signs"]["share_overridden"] == 0.5
    assert rules["pml-signs"]["note"] is None
    assert (rules["igg-low"]["evaluated"], rules["igg-low"]["fired"]) == (4, 0)


def test_a_chain_of_corrections_counts_once_with_the_answers_of_its_newest(figures_of):
    first = traced(checklist(1, [PML]))
    second = traced(checklist(2, [PML], supersedes=first.id))
    third = traced(checklist(3, [HBV], supersedes=second.id))
    rules = figures_of([first, second, third], (first, PML), (third, HBV))
    assert {
        rule: (each["fired"] + each["undecided"], each["overridden"]) for rule, each in rules.items()
    } == {
        "hbv-screening-incomplete": (1, 1),
        "pml-signs": (0, 0),
        "igg-low": (0, 0),
    }


def test_a_finding_counts_once_however_often_it_was_answered(figures_of):
    made = traced(checklist(1, [PML]))
    first = (made, PML, "action-completed", timedelta(seconds=60))
    rules = figures_of([made], first, (made, PML, "need-more-info", timedelta(seconds=90)))
    assert rules["pml-signs"]["overridden"] == 1
    assert rules["pml-signs"]["reasons"] == {"need-more-info": 1}
    assert rules["pml-signs"]["median_seconds_to_answer"] == 60


# Cards


def a_card(made, *flags):
    """The row of a card about these findings of a checklist; one without any is about a fault."""
    about = [[flag.check, flag.rule] for flag in flags] or [["pml", None]]
    return {"id": str(uuid.uuid4()), "checklist": made.id, "findings": about, "suggestions": []}


def tell(writing, made, card, event, reason=None, *, second=0):
    details = {
        "card": card["id"],
        "at": f"2026-01-01T00:00:{second:02}.000000Z",
        **({"reason": reason} if reason else {}),
    }
    writing.enter(replace(PRESCRIBER, actor="ehr:epic"), event, made.id, details)


def cards_by_hand(sql):
    """The same figures from the rows of cards and the journal, one after the other."""
    counted = defaultdict(lambda: {"shown": 0, "accepted": 0, "overridden": 0, "reasons": Counter()})
    corrected = {row[0] for row in sql("SELECT supersedes FROM checklists WHERE supersedes IS NOT NULL")}
    for id, made, findings in sql("SELECT id, checklist, findings FROM cards"):
        if made in corrected:
            continue
        [(drug,)] = sql("SELECT drug FROM checklists WHERE id = ?", made)
        told = sql("SELECT event, details FROM journal WHERE subject = ? ORDER BY sequence", made)
        mine = [(event, parsed(said)) for event, said in told if parsed(said).get("card") == id]
        overridden = [said for event, said in mine if event == "card.overridden"]
        for check, rule in parsed(findings):
            figures = counted[drug, check, rule]
            figures["shown"] += 1
            figures["accepted"] += any(event == "card.accepted" for event, _ in mine)
            figures["overridden"] += bool(overridden)
            given = [
                (said["at"], place, said["reason"])
                for place, said in enumerate(overridden)
                if "reason" in said
            ]
            if given:
                figures["reasons"][max(given)[2]] += 1
    return counted


def test_how_cards_were_taken_is_that_of_a_count_by_hand_and_no_answer_to_a_finding(records, basis, act, sql):
    chance = random.Random(11)
    made = a_clinic(chance)
    keep_many(records, basis, made)
    rows = [
        (each, a_card(each, *chance.sample(each.flags, min(size, len(each.flags)))))
        for each in made
        for size in (0, 1, 3)
    ]
    events = (Event.CARD_ACCEPTED, Event.CARD_OVERRIDDEN)
    with records.writing() as writing:
        site = {"site": records.site, "client": "epic"}
        writing.connection.execute(insert(cards), [{**card, **site} for _, card in rows])
        for each, card in rows:
            for _ in range(chance.choice((0, 0, 1, 2, 3))):
                reason = chance.choice((*REASONS, "another", None))
                tell(writing, each, card, chance.choice(events), reason, second=chance.randrange(4))
    wanted = cards_by_hand(sql)
    given = quality(records, act, None, None, None).document()["rules"]
    for rule in given:
        key = (rule["drug"], rule["check"], rule["rule"])
        assert rule["cards"] == {**wanted[key], "reasons": dict(wanted[key]["reasons"])}, key
        assert (rule["overridden"], rule["acknowledged"]) == (0, 0)
    assert sum(rule["cards"]["overridden"] for rule in given) > 10
    assert {"another"} < {reason for rule in given for reason in rule["cards"]["reasons"]}


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        ([(20, REASONS[0]), (10, REASONS[1])], {REASONS[0]: 1}),
        ([(10, REASONS[0]), (20, REASONS[1])], {REASONS[1]: 1}),
        ([(10, REASONS[0]), (20, None)], {REASONS[0]: 1}),
        ([(20, None), (10, REASONS[0])], {REASONS[0]: 1}),
        ([(10, None)], {}),
    ],
)
def test_the_reason_of_a_card_is_that_of_what_was_done_last(records, basis, act, told, reasons):
    made = traced(checklist(1, [PML]))
    keep_many(records, basis, [made])
    card = a_card(made, PML)
    with records.writing() as writing:
        row = {**card, "site": records.site, "client": "epic"}
        writing.connection.execute(insert(cards), [row])
        for second, reason in told:
            tell(writing, made, card, Event.CARD_OVERRIDDEN, reason, second=second)
    [rule] = [
        each
        for each in quality(records, act, None, None, None).document()["rules"]
        if each["rule"] == "pml-signs"
    ]
    assert rule["cards"] == {"shown": 1, "accepted": 0, "overridden": 1, "reasons": reasons}


def test_looking_at_the_figures_is_entered_and_holds_no_patient(records, basis, act, sql):
    keep_many(records, basis, [traced(checklist(1, [PML]))])
    quality(records, act, FIRST, None, "inebilizumab")
    [(subject, details)] = sql("SELECT subject, details FROM journal WHERE event = 'quality.viewed'")
    assert (subject, parsed(details)) == (
        "rules",
        {"drug": "inebilizumab", "from": "2026-01-01T00:00:00+00:00"},
    )
