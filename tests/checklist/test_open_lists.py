"""What a nurse sees of a list from the record that may not be all there is."""

from tests.checklist.answers import SECOND, asked, found, the

LIVE, NOT_LIVE = {"cvx": "03", "on": "2026-09-20"}, {"cvx": "187", "on": "2026-01-10"}


def from_the_record(*entries):
    return {"value": list(entries), "complete": "no", "source": "Immunization/7"}


def worst(vaccinations):
    """The findings of a check stand worst first."""
    return found(asked(vaccinations=vaccinations), "vaccination")[0]


def test_what_is_on_record_holds_as_if_somebody_had_said_it():
    typed, read = worst([LIVE]), worst(from_the_record(LIVE))
    assert (read["status"], read["kind"], read["eligible_from"]) == ("block", "defer", "2026-10-18")
    assert (typed["rule"], typed["eligible_from"]) == (read["rule"], read["eligible_from"])


def test_what_is_not_on_record_is_asked_for():
    result = asked(vaccinations=from_the_record(NOT_LIVE))
    finding = the(result, "vaccination")
    assert (finding["kind"], finding["missing"]) == ("missing", ["vaccinations"])
    assert "what is on record may not be all, and nobody was asked" in finding["message"]
    assert "vaccinations" in result["needs"]
    [shown] = [each for each in finding["because"] if each["fact"] == "vaccinations"]
    assert (shown["source"], len(shown["value"])) == ("Immunization/7", 1)


def test_none_on_record_is_not_none():
    assert (
        "none is on record, and nobody was asked"
        in the(asked(reactions=from_the_record()), "infusion_reaction")["message"]
    )


def test_the_way_out_is_to_ask_not_to_change_what_is_on_record():
    ways = the(asked(vaccinations=from_the_record(NOT_LIVE)), "vaccination")["would_pass_when"]
    assert ways
    assert worst(from_the_record(LIVE))["would_pass_when"] == []


def test_a_list_that_is_all_there_is_settles_it():
    whole = {**from_the_record(NOT_LIVE), "complete": "yes"}
    assert found(asked(SECOND, vaccinations=whole), "vaccination") == []
