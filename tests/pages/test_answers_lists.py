"""Lists as a person answers them: one by one, none, all, each sign by itself, and charted by class."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake.errors import BadInput
from service.pages.answers import BadAnswer, input_errors
from tests.pages.answering import NOW, VOCABULARY, answer, control, taken_in

LISTS = [name for name, each in VOCABULARY.facts.items() if each.type == "list"]
CHARTS = ["premedications"]
ENTRIES = [name for name in LISTS if VOCABULARY[name].fields and name not in CHARTS]
SIGNS = VOCABULARY["infection_signs"].values
NO_SIGN = dict.fromkeys(SIGNS, "no")
CORTICOSTEROID = {"class": "corticosteroid", "status": "given", "at": "2026-10-06T13:40:00+02:00"}


def typed(fact):
    """Every field of an entry as somebody fills it in, and the entry that is meant."""
    form, meant = {}, {}
    for name, field in VOCABULARY[fact].fields.items():
        if field.codes:
            form[name], meant[name] = "187 zoster, recombinant", "187"
        elif field.from_code:
            continue
        elif field.type == "code":
            form[name] = meant[name] = next(iter(field.values))
        elif field.type == "date":
            form[name] = meant[name] = "2026-09-01"
        else:
            form[name] = meant[name] = "mycophenolate"
    return form, meant


def refused(fact, fields, known=None, **changes):
    with pytest.raises(BadAnswer) as caught:
        answer(fact, fields, known, **changes)
    assert control(fact, known, caught.value.errors, caught.value.typed).errors
    return set(caught.value.errors)


@pytest.mark.parametrize("fact", LISTS)
def test_none_is_an_answer(fact):
    [reading] = taken_in(fact, answer(fact, {"say": "none"}))
    assert (reading.value, reading.complete) == ((), True)
    assert "none" in {each.value for each in control(fact).buttons}


@pytest.mark.parametrize("fact", ENTRIES)
class TestEntries:
    """Entries are added and removed one by one."""

    def test_an_entry_is_what_was_typed_and_does_not_say_that_it_is_the_only_one(self, fact):
        form, meant = typed(fact)
        [reading] = taken_in(fact, answer(fact, {"say": "add", **form}))
        [entry] = reading.value
        assert {name: str(entry[name]) for name in meant} == meant
        assert not reading.complete

    def test_these_are_all_completes_the_list(self, fact):
        first = answer(fact, {"say": "add", **typed(fact)[0]})
        assert "all" in {each.value for each in control(fact, first).buttons}
        [reading] = taken_in(fact, answer(fact, {"say": "all"}, first))
        assert (len(reading.value), reading.complete) == (1, True)
        assert refused(fact, {"say": "all"}, None) == {"value"}

    def test_one_more_stands_beside_those_before(self, fact):
        both = answer(fact, {"say": "add", **typed(fact)[0]}, answer(fact, {"say": "none"}))
        [reading] = taken_in(fact, answer(fact, {"say": "add", **typed(fact)[0]}, both))
        assert (len(reading.value), reading.complete) == (2, True)

    def test_what_is_listed_is_lost_neither_by_none_nor_by_not_known(self, fact):
        known = answer(fact, {"say": "all"}, answer(fact, {"say": "add", **typed(fact)[0]}))
        assert refused(fact, {"say": "none"}, known) == {"value"}
        [reading] = taken_in(fact, answer(fact, {"say": "unknown"}, known))
        assert (len(reading.value), reading.complete) == (1, False)

    def test_an_entry_is_removed_by_itself(self, fact):
        known = answer(fact, {"say": "add", **typed(fact)[0]})
        [listed] = control(fact, known).known
        assert answer(fact, {"remove": listed.key}, known) is None
        assert refused(fact, {"remove": "0" * 16}, known) == {"value"}

    def test_an_empty_entry_is_refused(self, fact):
        errors = dict.fromkeys(refused(fact, {"say": "add"}), "Fill this in.")
        assert control(fact, None, errors).is_adding
        assert not control(fact).is_adding


def test_a_plain_list_and_one_that_may_have_others_keep_what_they_say():
    plain, open_ = [{"drug": "rituximab"}], {"value": [{"drug": "rituximab"}], "complete": "no"}
    form = {"say": "add", "drug": "prednisone", "use": "chronic"}
    assert "complete" not in answer("immunosuppressants", form, plain)
    assert answer("immunosuppressants", form, open_)["complete"] == "no"
    two = [{"drug": "rituximab"}, {"drug": "prednisone"}]
    keys = [each.key for each in control("immunosuppressants", two).known]
    assert answer("immunosuppressants", {"remove": keys[0]}, two)["value"] == [{"drug": "prednisone"}]


def test_where_a_list_came_from_is_kept_beside_who_changed_it():
    known = {"value": [{"drug": "rituximab"}], "complete": "no", "source": "MedicationStatement/7"}
    here = "told by the patient to Nora Quill, 2026-10-06 14:03"
    closed = answer("immunosuppressants", {"say": "all"}, known)
    assert closed["source"] == f"MedicationStatement/7; {here}"
    assert answer("immunosuppressants", {"say": "unknown"}, closed)["source"] == closed["source"]
    long = {**known, "source": "x" * 200}
    [reading] = taken_in("immunosuppressants", answer("immunosuppressants", {"say": "all"}, long))
    assert reading.source.endswith(here)


def test_a_typed_entry_is_not_lost_by_none():
    assert refused("reactions", {"say": "none", "substance": "rituximab"}) == {"substance"}


class TestCodes:
    """A code is typed by itself or chosen with its label; what can be no entry is not offered."""

    @pytest.mark.parametrize("text", ["187", "187 zoster, recombinant"])
    def test_a_code_is_read(self, text):
        assert answer("vaccinations", {"say": "add", "cvx": text})["value"] == [{"cvx": "187"}]

    @pytest.mark.parametrize("text", ["9999", "zoster", "187 measles", "03 zoster, recombinant"])
    def test_what_is_not_on_the_list_is_refused(self, text):
        assert "cvx" in refused("vaccinations", {"say": "add", "cvx": text})

    def test_an_immune_globulin_is_not_offered_as_a_vaccine(self):
        search = next(each for each in control("vaccinations").adding if each.kind == "search")
        offered = dict(search.choices)
        assert "187" in offered and "14" not in offered

    def test_either_the_code_or_the_kind_is_enough(self):
        read = answer("vaccinations", {"say": "add", "kind": "live", "on": "2026-09-01"})
        assert read["value"] == [{"kind": "live", "on": "2026-09-01"}]
        assert "cvx" in refused("vaccinations", {"say": "add", "on": "2026-09-01"})

    def test_what_the_intake_refuses_is_shown_at_its_field(self):
        read = answer("vaccinations", {"say": "add", "cvx": "187", "on": "2027-01-01", "status": "given"})
        with pytest.raises(BadInput) as caught:
            taken_in("vaccinations", read)
        assert set(input_errors(VOCABULARY["vaccinations"], caught.value)) == {"on"}


class TestSigns:
    """Each sign is asked by itself; one that is not answered is no No."""

    def test_nothing_is_chosen_beforehand(self):
        assert {each.value for each in control("infection_signs").fields} == {""}

    def test_a_sign_that_is_not_answered_is_asked_for(self):
        assert refused("infection_signs", {"say": "save", "fever": "yes"}) == set(SIGNS) - {"fever"}

    def test_signs_that_were_answered_are_those(self):
        [reading] = taken_in(
            "infection_signs", answer("infection_signs", {"say": "save", **NO_SIGN, "cough": "yes"})
        )
        assert (reading.value, reading.complete) == (("cough",), True)

    def test_all_of_them_answered_no_is_none(self):
        [reading] = taken_in("infection_signs", answer("infection_signs", {"say": "save", **NO_SIGN}))
        assert (reading.value, reading.complete) == ((), True)

    def test_a_sign_that_is_not_known_leaves_the_list_open(self):
        form = {"say": "save", **NO_SIGN, "cough": "yes", "contact": "unknown"}
        [reading] = taken_in("infection_signs", answer("infection_signs", form))
        assert (reading.value, reading.complete) == (("cough",), False)

    def test_none_of_these_does_not_override_a_yes(self):
        assert refused("infection_signs", {"say": "none", "fever": "yes"}) == {"fever"}

    def test_what_was_answered_is_shown_again(self):
        shown = {each.name: each.value for each in control("infection_signs", ["fever"]).fields}
        assert shown["infection_signs.fever"] == "yes"
        assert shown["infection_signs.cough"] == "no"
        opened = control("infection_signs", {"value": ["fever"], "complete": "no"})
        assert {each.value for each in opened.fields} == {"yes", ""}

    @given(
        st.dictionaries(st.sampled_from(list(SIGNS)), st.sampled_from(["yes", "no", "unknown", "", "maybe"]))
    )
    def test_the_list_says_no_more_than_the_answers(self, answers):
        try:
            read = answer("infection_signs", {"say": "save", **answers})
        except BadAnswer as bad:
            assert set(bad.errors) == {
                sign for sign in SIGNS if answers.get(sign) not in ("yes", "no", "unknown")
            }
            return
        [reading] = taken_in("infection_signs", read)
        assert set(reading.value) == {sign for sign, said in answers.items() if said == "yes"}
        assert reading.complete == ("unknown" not in answers.values())


class TestChart:
    """Premedications are charted by class, and the window that each opens is said."""

    def test_given_now_is_this_minute_at_the_site(self):
        [reading] = taken_in("premedications", answer("premedications", {"corticosteroid": "now"}))
        [entry] = reading.value
        assert (entry["class"], entry["status"]) == ("corticosteroid", "given")
        assert entry["at"] == NOW.replace(second=0, microsecond=0)
        assert reading.complete

    @pytest.mark.parametrize(
        ("day", "at"),
        [
            ("", datetime(2026, 10, 6, 11, 40, tzinfo=UTC)),
            ("2026-10-05", datetime(2026, 10, 5, 11, 40, tzinfo=UTC)),
        ],
    )
    def test_given_earlier_is_at_that_time_today_or_on_that_day(self, day, at):
        form = {"antipyretic": "at", "antipyretic.time": "13:40", "antipyretic.date": day}
        [reading] = taken_in("premedications", answer("premedications", form))
        assert reading.value[0]["at"] == at

    def test_a_time_is_needed_and_lies_in_no_future(self):
        assert refused("premedications", {"antipyretic": "at"}) == {"antipyretic.time"}
        later = {"antipyretic": "at", "antipyretic.time": "14:20"}
        assert refused("premedications", later) == {"antipyretic.time"}

    @pytest.mark.parametrize("status", ["ordered", "waived"])
    def test_ordered_and_waived_have_no_time(self, status):
        read = answer("premedications", {"antihistamine": status})
        assert read["value"] == [{"class": "antihistamine", "status": status}]

    def test_what_was_ordered_keeps_its_medicine_when_it_is_given(self):
        ordered = {
            "class": "antihistamine",
            "drug": "cetirizine",
            "dose": {"value": 10, "unit": "mg"},
            "status": "ordered",
        }
        read = answer("premedications", {"antihistamine": "now"}, [CORTICOSTEROID, ordered])
        at = "2026-10-06T14:03:00+02:00"
        assert read["value"] == [CORTICOSTEROID, {**ordered, "status": "given", "at": at}]
        assert len(taken_in("premedications", read)) == 1

    def test_what_is_given_is_charted_again_only_after_it_was_removed(self):
        assert refused("premedications", {"corticosteroid": "now"}, [CORTICOSTEROID]) == {"corticosteroid"}
        row = control("premedications", [CORTICOSTEROID]).rows[0]
        assert (row.buttons, row.fields, row.then) == ((), (), None)
        assert answer("premedications", {"remove": row.known[0].key}, [CORTICOSTEROID]) is None

    @pytest.mark.parametrize(
        ("at", "is_for_another"),
        [
            ("2026-10-05T15:03:26+02:00", True),
            ("2026-10-05T15:03:27+02:00", False),
            ("2026-10-04", True),
            ("2026-10-05", False),
        ],
    )
    def test_what_was_given_for_another_infusion_neither_counts_nor_stops_charting(self, at, is_for_another):
        earlier = {**CORTICOSTEROID, "at": at}
        row = control("premedications", [earlier]).rows[0]
        assert bool(row.buttons) is is_for_another
        if is_for_another:
            assert row.window == "For the start planned at 15:03, give it from 14:18 to 14:48."
            read = answer("premedications", {"corticosteroid": "now"}, [earlier])
            now = {**CORTICOSTEROID, "at": "2026-10-06T14:03:00+02:00"}
            assert read["value"] == [earlier, now]
            assert (
                control("premedications", read).rows[0].window == "In time for a start from 14:18 to 14:48."
            )
        else:
            assert refused("premedications", {"corticosteroid": "now"}, [earlier]) == {"corticosteroid"}

    def test_a_time_typed_in_another_row_is_not_lost_unseen(self):
        form = {"corticosteroid": "now", "antipyretic.time": "13:40"}
        assert refused("premedications", form) == {"antipyretic"}

    def test_the_window_is_said_before_and_after_it_is_given(self):
        rows = {each.title: each for each in control("premedications", [CORTICOSTEROID]).rows}
        assert [each.words for each in rows["Corticosteroid"].known] == ["Given 13:40"]
        assert rows["Corticosteroid"].window == "In time for a start from 13:55 to 14:25."
        assert rows["Antipyretic"].window == "For the start planned at 15:03, give it from 13:48 to 14:48."

    def test_the_start_that_suits_all_is_said(self):
        second = {"class": "antipyretic", "at": "2026-10-06T13:50:00+02:00"}
        both = control("premedications", [CORTICOSTEROID, second]).together
        assert both == "In time after all of these: a start from 14:05 to 14:25."
        late = {"class": "antipyretic", "at": "2026-10-06T11:00:00+02:00"}
        assert (
            control("premedications", [CORTICOSTEROID, late]).together
            == "No start is in time after all of these."
        )

    @pytest.mark.parametrize(
        "entry", [{"class": "corticosteroid"}, {"class": "corticosteroid", "at": "2026-10-06"}]
    )
    def test_no_window_is_said_of_what_has_no_time(self, entry):
        assert control("premedications", [entry]).rows[0].window == ""
