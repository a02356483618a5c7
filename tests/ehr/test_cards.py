"""Cards: what they say of a checklist, never more, and nothing that an EHR could take for markup."""

import itertools
import json
import re
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.ehr import markdown
from service.ehr.cards import EXTENSION, INDICATORS, Asked, Orders, cards_of
from tests.builders import request_for, result_for, shipped

BASE = "https://dosegate.example"
DRUG, PATIENT = "inebilizumab", "first dose, US"
NONE = Orders()
WORST = ["pass", "warn", "block"]
GFM = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def asked(unread=(), **changes):
    numbers = itertools.count(1)
    return Asked(
        "a-call",
        "MedicationRequest/7",
        BASE,
        lambda: str(uuid.UUID(int=next(numbers))),
        dict(unread),
        **{"infusion_at_from": "ordered", **changes},
    )


def cards(result, orders=NONE, **options):
    """The documents of the cards of a result, which comes as it is stored: as JSON."""
    stored = json.loads(json.dumps(result, default=float))
    return [card.document for card in cards_of(stored, asked(), shipped().vocabulary, orders, **options)]


def result(**changes):
    return result_for(request_for(DRUG, PATIENT, **changes))


def nothing_known(drug=DRUG):
    return result_for(
        {"drug": drug, "infusion_at": "2026-12-01T09:00:00Z", "patient": {"id": "x"}, "facts": {}}
    )


def shown(text):
    """What a reader of Markdown sees, tag by tag."""
    return GFM.render(text)


# One card for what was decided, one for all that is unknown


def test_a_pass_is_one_card_that_counts_the_checks_and_says_how_long_to_watch():
    [card] = cards(result())
    assert card["indicator"] == "info"
    assert card["summary"] == "Inebilizumab: 19 checks passed, nothing found; 1 not applicable"
    assert "observe 60 minutes" in card["detail"]
    assert card["detail"].count("\n- ") == 20 + 2  # each check once, then the sources of the plan
    assert "overrideReasons" not in card
    assert cards(result(), pass_card=False) == []


@pytest.mark.parametrize(
    "made",
    [result(), result(without=("hbsag",)), result(with_={"pregnant": "yes"}, without=("igg",))],
    ids=["pass", "unknown", "both"],
)
def test_every_card_begins_with_the_order_and_the_time_that_it_is_about(made):
    stored = json.loads(json.dumps(made, default=float))

    def first_lines(**how):
        given = cards_of(stored, asked(**how), shipped().vocabulary, NONE)
        assert {card.document["extension"][EXTENSION]["infusion_at_from"] for card in given} == {
            how.get("infusion_at_from", "ordered")
        }
        return {card.document["detail"].split("\n\n")[0] for card in given}

    [said] = first_lines()
    assert said.startswith("Order MedicationRequest/7, checked for an infusion on ")
    at = stored["infusion_at"]
    assert said.endswith(f" on {at[:10]} at {at[11:16]} ({at[-6:]}).")
    [said] = first_lines(infusion_at_from="assumed", in_doubt=True)
    assert said == (
        "Order MedicationRequest/7, checked as if it were infused now: the order gives no time that can be "
        "read. Check again on the day."
    )


def test_each_section_of_a_source_is_named_once():
    made = result(without=("hbsag", "igg"))
    label = {"title": "Label", "revised": "2024-01"}
    for finding, section in zip(made["findings"], ("5.1; 2.1", "2.1; 4"), strict=False):
        finding["sources"] = [{**label, "section": section}]
    [card] = cards(made)
    assert "**Sources:** Label, revised 2024-01: 5.1; 2.1; 4." in card["detail"]


def test_a_test_whose_value_is_on_record_is_not_suggested_again_unless_it_is_too_old():
    draft = {"resourceType": "ServiceRequest", "code": {"text": "a test"}}
    drafts = Orders({"igg": draft, "hbsag": draft})
    no_limit = {"igg": {"value": 7.1, "unit": "g/L", "at": "2026-09-20"}}
    old = {"hbsag": {"value": "negative", "at": "2019-01-01"}}
    [card] = cards(result(with_={**no_limit, **old}), drafts)
    assert card["extension"][EXTENSION]["needs"] == ["hbsag", "igg"]
    assert [each["label"] for each in card["suggestions"]] == ["Order hepatitis B surface antigen (HBsAg)"]
    [card] = cards(result(with_=no_limit), drafts)
    assert [each["label"] for each in card["suggestions"]] == ["Order hepatitis B surface antigen (HBsAg)"]
    [card] = cards(result(without=("igg",)), Orders({"igg": draft}))
    assert len(card["suggestions"]) == 1


def test_no_pass_card_where_anything_was_found():
    found = cards(result(without=("hbsag",)))
    assert [card["indicator"] for card in found] == ["critical"]


def test_what_was_decided_has_a_card_each_and_all_that_is_unknown_has_one_together():
    made = result(
        with_={"ordered_dose": {"value": 600, "unit": "mg"}, "pregnant": "yes"},
        without=("birth_date", "tb_test", "igg"),
    )
    found = cards(made)
    about = [[each["check"] for each in card["extension"][EXTENSION]["findings"]] for card in found]
    decided = [each["check"] for each in made["findings"] if each["kind"] in ("dose", "contraindication")]
    assert sorted(map(tuple, about)) == sorted(
        [*((check,) for check in decided), ("age", "tuberculosis", "immunoglobulins")]
    )


@pytest.mark.parametrize("drug", sorted(shipped().packs))
def test_a_first_dose_of_which_nothing_is_known_is_one_card_with_its_worst_indicator(drug):
    made = nothing_known(drug)
    found = [each for each in made["findings"] if each["status"] != "pass"]
    [card] = cards(made)
    assert len(found) > 5
    assert card["indicator"] == "critical"
    assert [each["rule"] for each in card["extension"][EXTENSION]["findings"]] == [
        each["rule"] for each in found
    ]
    for each in found:
        assert markdown.escaped(each["action"]) in card["detail"]


def test_open_checks_stand_by_who_can_close_them_and_worst_first():
    made = nothing_known()
    [card] = cards(made)
    _, now, chair = re.split(r"^\*\*(?:Now|At the chair)[^\n]*\*\*$", card["detail"], flags=re.M)
    vocabulary = shipped().vocabulary
    found = [each for each in made["findings"] if each["status"] != "pass"]
    for part, at_the_chair in ((now, False), (chair, True)):
        wanted = [
            (markdown.escaped(each["title"]), each["status"])
            for each in found
            if at_the_chair
            is all(vocabulary[name].answered_by in ("patient", "nurse") for name in each["missing"])
        ]
        assert re.findall(r"^- \*\*(.*?)\*\* \((block|warn)\):", part, re.M) == wanted
        assert len(wanted) > 3
    assert "Unknown never passes" in card["detail"]


def test_what_is_on_record_stands_with_what_is_missing():
    live = {"value": [{"cvx": "03", "on": "2026-09-20"}], "source": "Immunization/7"}
    [card] = cards(result(with_={"vaccinations": live}, without=("dose_number",)))
    [said] = [each for each in card["detail"].split("\n") if each.startswith("- **Vaccination** (block)")]
    assert "dose number: not recorded" in said
    assert "On record: " in said
    assert "Immunization/7" in said
    assert "Time alone lifts it on" in said


def test_what_of_the_record_is_not_known_is_said_once_for_each_way():
    made = result(without=("hbsag",))
    unread = {"results": "could not be read", "reports": "could not be read", "adverse_events": "not sent"}
    stored = json.loads(json.dumps(made, default=float))
    [card] = cards_of(stored, asked(unread), shipped().vocabulary, NONE)
    said = "could not be read: results, reports; not sent: adverse events."
    assert f"**Of the record in the EHR** {said}" in card.document["detail"]
    assert card.document["extension"][EXTENSION]["unread"] == unread
    [card] = cards(made)
    assert "Of the record" not in card["detail"]
    assert "unread" not in card["extension"][EXTENSION]


def test_what_is_on_order_already_is_said_and_what_is_not_can_be_ordered():
    draft = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"text": "HBsAg in serum"},
        "note": [],
        "category": None,
    }
    made = result(without=("hbsag", "tb_test"))
    [card] = cards(made, Orders({"hbsag": draft}, {"tb_test": "ServiceRequest/9"}))
    assert "On order: tuberculosis test, ServiceRequest/9." in card["detail"]
    [suggestion] = card["suggestions"]
    assert card["selectionBehavior"] == "any"
    assert suggestion["label"] == "Order hepatitis B surface antigen (HBsAg)"
    [action] = suggestion["actions"]
    assert action["description"] == "Create a draft order: HBsAg in serum"
    assert action["type"] == "create"
    assert action["resource"] == {key: draft[key] for key in ("resourceType", "status", "intent", "code")}


def test_a_fault_is_one_critical_card_whatever_it_held():
    made = result()
    made["findings"] = [
        {
            **each,
            "status": "block",
            "kind": "engine",
            "override": "never",
            "message": "It failed.",
            "action": "Hold.",
        }
        for each in made["findings"]
    ]
    made["status"] = "block"
    [card] = cards(made)
    assert card["indicator"] == "critical"
    assert "hold" in card["summary"]
    assert all(each["title"] in card["detail"] for each in made["findings"])


def test_a_decided_card_says_why_what_to_do_what_would_make_it_pass_and_where_it_is_from():
    made = result(with_={"ordered_dose": {"value": 600, "unit": "mg", "source": "MedicationRequest/7"}})
    [finding] = [each for each in made["findings"] if each["status"] == "block"]
    [card] = cards(made)
    said = card["detail"]
    assert finding["message"] in said
    assert f"**What to do:** {finding['action']}" in said
    assert "- ordered dose: 600 mg, MedicationRequest/7" in said
    assert "- ordered dose is 300 mg" in said
    for cited in finding["sources"]:
        assert cited["title"] in said
        assert cited["section"] in said
    assert "an answer to this card is none" in said
    assert card["source"]["label"].startswith(finding["sources"][0]["title"])
    assert card["source"]["topic"] == {"code": "dose", "system": "urn:dosegate:topic", "display": "Dose"}


# For any checklist


FACTS = [
    *("hbsag", "anti_hbc_total", "tb_test", "igg", "birth_date", "pml_signs", "pregnant", "reactions"),
    *("dose_number", "ordered_dose", "anc", "premedications", "active_infection", "vaccinations"),
]
CHANGES = [
    {},
    {"pregnant": "yes"},
    {"ordered_dose": {"value": 600, "unit": "mg"}},
    {"active_infection": "serious", "pml_signs": "yes"},
    {"hbsag": {"value": "positive", "at": "2026-09-01"}},
    {"tb_test": {"value": "negative", "at": "2019-01-01"}},
]


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize("left_out", [(), FACTS[:3], FACTS[3:9], FACTS])
def test_cards_say_exactly_what_the_findings_say_worst_first(changes, left_out):
    made = result(with_=changes, without=tuple(set(left_out) - set(changes)))
    found = [each for each in made["findings"] if each["status"] != "pass"]
    given = cards(made)
    keys = [
        (each["check"], each.get("rule"))
        for card in given
        for each in card["extension"][EXTENSION]["findings"]
    ]
    if found:
        assert sorted(keys) == sorted((each["check"], each["rule"]) for each in found)
    status = {(each["check"], each["rule"]): each["status"] for each in made["findings"]}
    for card in given:
        mine = [status[each["check"], each.get("rule")] for each in card["extension"][EXTENSION]["findings"]]
        assert card["indicator"] == INDICATORS[max(mine, key=WORST.index)]
        assert card["summary"].startswith("Inebilizumab: ")
        assert card["extension"][EXTENSION]["status"] == made["status"]
        check_whole(card)
    order = [list(INDICATORS.values()).index(card["indicator"]) for card in given]
    assert order == sorted(order)
    assert len({card["uuid"] for card in given}) == len(given)


def check_whole(document):
    """Nothing null and nothing empty anywhere."""
    assert document not in (None, "", [], {})
    for each in (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    ):
        check_whole(each)


# Summaries


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=400)


@given(TEXTS, TEXTS)
def test_a_summary_is_short_and_never_cuts_the_name_of_the_drug(name, said):
    made = markdown.summary(name, said)
    assert len(made) < 140
    assert "\n" not in made
    clean = markdown.one_line(name)
    if len(clean) < 140:
        assert made.startswith(clean)
        rest = made[len(clean) + 2 :]
        whole = markdown.one_line(said)
        assert rest == whole or not rest or whole.startswith(rest[:-1].rstrip("…"))


@given(st.integers(1, 139), st.text(string.ascii_letters + " ", min_size=1))
def test_a_drug_of_any_length_of_name_has_a_summary(length, said):
    made = result()
    made["title"] = "m" * length
    [card] = cards(made)
    assert card["summary"].startswith("m" * length)
    assert len(card["summary"]) < 140


def test_a_summary_is_cut_at_a_word():
    assert markdown.summary("Drug", "word " * 40) == "Drug: " + "word " * 25 + "word…"
    assert markdown.summary("Drug", "x" * 200) == "Drug"
    assert markdown.summary("D" * 200, "said") == "D" * 138 + "…"


# Markdown


NASTY = [
    "<script>alert(1)</script>",
    "[a link](javascript:alert(1))",
    "![image](http://evil.example/x.png)",
    "http://evil.example www.evil.example a@evil.example",
    "# heading",
    "- list",
    "1. list",
    "1) list",
    "> quoted",
    "**bold** _em_ ~~gone~~ `code`",
    "| a | b |",
    "&lt;b&gt; &#60;",
    "line\n\n# other",
    "```\nfence",
    "=====",
    "back\\slash \\* star",
    "<!-- comment -->",
    "\u202egnp.exe\u200b",
]


def plain(html):
    """The text of HTML that is one paragraph and nothing else."""
    from html import unescape

    found = re.fullmatch(r"<p>([^<]*)</p>\n?", html)
    assert found, html
    return unescape(found[1])


@pytest.mark.parametrize("text", NASTY)
def test_data_is_shown_as_it_is_and_is_no_markup(text):
    assert plain(shown(markdown.line(text))) == markdown.one_line(text)


@given(TEXTS.filter(markdown.one_line))
def test_any_text_is_shown_as_it_is(text):
    assert plain(shown(markdown.line(text))) == markdown.one_line(text)


@given(
    st.lists(st.sampled_from(["http", "ftp", "WWW", "www", ".", ":", "/", "//", "a", " ", "@", "b.c", "\\"]))
)
def test_nothing_becomes_a_link_by_itself(parts):
    made = markdown.line("".join(parts))
    assert not re.search(r"(?i)www\.|(?<!\\)://|(?<!\\)@", made)


@pytest.mark.parametrize("text", NASTY)
def test_what_is_quoted_from_a_record_cannot_get_out_of_its_place(text):
    made = result(with_={"ordered_dose": {"value": 600, "unit": "mg", "source": "x"}})
    for finding in made["findings"]:
        for because in finding["because"]:
            because["source"] = text
        finding["message"] = text
    quiet = result(with_={"ordered_dose": {"value": 600, "unit": "mg", "source": "x"}})
    for finding in quiet["findings"]:
        for because in finding["because"]:
            because["source"] = "x"
        finding["message"] = "x"
    for loud, still in zip(cards(made), cards(quiet), strict=True):
        assert tags(loud["detail"]) == tags(still["detail"])


def tags(text):
    return re.findall(r"<[^>]*>", shown(text))
