"""What an EHR left out is read from its FHIR server: in time, from there alone, never as more than it is."""

import logging
import threading
import time
from dataclasses import dataclass

import pytest

from service.ehr.fetching import MOST_AT_ONCE, MOST_PAGES, Fetched, fetch_missing
from service.fhir.searches import NAMES, searches
from service.outbound.http import Outbound
from tests.builders import shipped
from tests.ehr.fhir_server import TOKEN, FhirServer
from tests.outbound.servers import Authority, Server, ok, saying

ENOUGH, BRIEF, LONG = 60.0, 4.0, 30.0  # seconds: never reached; for what never ends; surely more than that
PATIENT = {"patientId": "7"}


@dataclass(frozen=True)
class Search:
    name: str
    resource_type: str
    template: str


READ = Search("patient", "Patient", "Patient/{{context.patientId}}")
RESULTS = Search(
    "results", "Observation", "Observation?patient={{context.patientId}}&code=http://loinc.org|5196-1,751-8"
)
CONDITIONS = Search("conditions", "Condition", "Condition?patient={{context.patientId}}")
ALL = (READ, RESULTS, CONDITIONS)

MAY = {"resourceType": "Patient", "id": "7", "birthDate": "1984-03-02", "name": [{"family": "Holloway"}]}


def observation(id_: str, patient: str = "7") -> dict:
    return {"resourceType": "Observation", "id": id_, "subject": {"reference": f"Patient/{patient}"}}


FIVE = [observation(str(number)) for number in range(1, 6)]
CHART = [
    MAY,
    *FIVE,
    observation("other", "8"),
    {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/7"}},
]


def fetched(server, *wanted, context=PATIENT, pages=None, seconds=ENOUGH, granted=None):
    return fetch_missing(
        wanted, context, pages or {}, granted or server.granted(), server.outbound(), seconds
    )


def results(*, mode=None, page_size=None, seconds=ENOUGH, resources=CHART) -> Fetched:
    """What the search for results finds where the server is in this mode."""
    modes = mode if isinstance(mode, dict) else {"Observation": mode}
    with FhirServer(resources, modes=modes, page_size=page_size) as server:
        return fetched(server, RESULTS, seconds=seconds)["results"]


# ---------------------------------------------------------------- what is found


def test_every_search_is_asked_of_the_patient_with_the_token_that_was_granted():
    with FhirServer(CHART) as server:
        found = fetched(server, *ALL)
    assert found == {
        "patient": Fetched([MAY], "complete", None),
        "results": Fetched(FIVE, "complete", None),
        "conditions": Fetched([CHART[-1]], "complete", None),
    }
    assert sorted(server.asked) == [
        "/fhir/Condition?patient=7",
        "/fhir/Observation?patient=7&code=http://loinc.org%7C5196-1,751-8",
        "/fhir/Patient/7",
    ]
    for request in server.requests:
        assert f"\r\nAuthorization: Bearer {TOKEN}\r\n".encode() in request
        assert b"\r\nAccept: application/fhir+json\r\n" in request


def test_every_search_of_the_table_can_be_asked():
    table = searches(shipped().code_maps)
    with FhirServer(CHART) as server:
        found = fetched(server, *table)
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(NAMES, "complete")
    assert (found["patient"].resources, found["results"].resources) == ([MAY], FIVE)
    assert not [path for path in server.asked if set(path) & set("{}| ")]


def test_looked_and_found_nothing_is_complete():
    assert results(resources=[MAY]) == Fetched([], "complete", None)


def test_nothing_wanted_is_nothing_asked():
    with FhirServer(CHART) as server:
        assert fetched(server) == {}
    assert server.connections == 0


def test_numbers_keep_their_digits():
    precise = {**observation("1"), "valueQuantity": {"value": 0.1}}
    found = results(resources=[precise])
    assert str(found.resources[0]["valueQuantity"]["value"]) == "0.1"
    assert type(found.resources[0]["valueQuantity"]["value"]).__name__ == "Decimal"


def test_plain_json_will_do():
    assert results(mode="plain_json") == Fetched(FIVE, "complete", None)


def test_a_base_with_a_slash_or_without_a_path_is_the_same_server():
    with FhirServer(CHART, page_size=2) as server:
        found = fetched(server, RESULTS, granted=server.granted(server.base + "/"))
    assert found["results"] == Fetched(FIVE, "complete", None)


def test_a_hospital_server_speaks_tls(tmp_path, monkeypatch):
    authority = Authority.made(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with FhirServer(CHART, tls=authority.server("127.0.0.1"), page_size=2) as server:
        assert fetched(server, RESULTS)["results"] == Fetched(FIVE, "complete", None)


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize(("size", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1)])
def test_pages_are_followed_to_the_last(size, pages):
    with FhirServer(CHART, page_size=size) as server:
        assert fetched(server, RESULTS)["results"] == Fetched(FIVE, "complete", None)
    assert len(server.requests) == pages


def test_no_more_than_ten_pages_are_followed():
    eleven = [observation(str(number)) for number in range(11)]
    with FhirServer(eleven, page_size=1) as server:
        found = fetched(server, RESULTS)["results"]
    assert found == Fetched(eleven[:10], "incomplete", "its pages come to no end")
    assert len(server.requests) == MOST_PAGES == 10
    assert results(resources=eleven[:10], page_size=1).state == "complete"


def test_a_prefetched_search_is_read_on_from_its_next_page():
    with FhirServer(CHART, page_size=2) as server:
        link = f"{server.base}/Observation?patient=7&_page=2"
        found = fetched(server, RESULTS, CONDITIONS, pages={"results": link})
    assert found["results"] == Fetched(FIVE[2:], "complete", None)
    assert found["conditions"].state == "complete"
    assert not any("_page" not in path and "Observation" in path for path in server.asked)


@pytest.mark.parametrize("mode", ["404", "slow", "next:https://evil.example/x"])
def test_a_prefetched_search_that_cannot_be_read_on_has_its_beginning_still(mode):
    with FhirServer(CHART, modes={"Observation": mode}, page_size=2) as server:
        link = f"{server.base}/Observation?patient=7&_page=2"
        found = fetched(server, pages={"results": link}, seconds=BRIEF)["results"]
    assert found.state == "incomplete"
    assert found.why is not None


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/fhir/Observation",
        "http://127.0.0.1:1/fhir/Observation",
        "//evil.example/fhir/x",
        "",
    ],
)
def test_a_prefetched_next_page_elsewhere_gets_no_token(link):
    with FhirServer(CHART) as server:
        found = fetched(server, pages={"results": link})["results"]
    assert (found.resources, found.state) == ([], "incomplete")
    assert TOKEN.encode() not in b"".join(server.requests)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("401", "the token was not accepted"),
        ("410", "no longer there"),
        ("500", "answered with status 500"),
        ("html", "its answer is not FHIR JSON"),
        ("broken", "its answer is broken JSON"),
        ("outcome", "answered with an OperationOutcome"),
        ("closing", "broke the connection off"),
        ("endless", "its answer is too long"),
        ("history", "its answer is no search result"),
    ],
)
def test_a_page_that_fails_leaves_those_before_it(mode, why):
    found = results(mode={"Observation/2": mode}, page_size=2)
    assert found == Fetched(FIVE[:2], "incomplete", why)


@pytest.mark.parametrize("mode", ["slow", "slow_head", "silent"])
def test_a_page_that_is_late_leaves_those_before_it(mode):
    found = results(mode={"Observation/3": mode}, page_size=2, seconds=BRIEF)
    assert found == Fetched(FIVE[:4], "incomplete", "timed out")


@pytest.mark.parametrize(
    "link",
    [
        "{base}/Observation?patient=7",
        "{base}/Observation?patient=7&_page=2",
        "Observation?patient=7",
        "?patient=7",
    ],
)
def test_pages_that_go_in_a_circle_are_left(link):
    with FhirServer(CHART, modes={"Observation/2": f"next:{link}"}, page_size=2) as server:
        found = fetched(server, RESULTS)["results"]
    assert (found.state, found.why) == ("incomplete", "its pages come to no end")
    assert len(server.requests) <= 4
    assert found.resources[:4] == FIVE[:4]


@pytest.mark.parametrize(
    "link", ["Observation?patient=7&_page=2", "?patient=7&_page=2", "/fhir/Observation?patient=7&_page=2"]
)
def test_a_next_page_may_be_named_from_here(link):
    found = results(mode={"Observation": f"next:{link}", "Observation/2": None}, page_size=3)
    assert found == Fetched(FIVE, "complete", None)


@pytest.mark.parametrize(
    "link",
    [
        "{elsewhere}/fhir/Observation?_page=2",
        "//{elsewhere_host}/fhir/Observation?_page=2",
        "{root}/other/Observation?_page=2",
        "{root}/fhirs/Observation?_page=2",
        "{root}/fhir/../other/Observation",
        "{root}/fhir/%2e%2e/other/Observation",
        "{root}/fhir/..%2fother/Observation",
        "{root}/fhir/..%5Cother/Observation",
        "/other/Observation",
        "../other",
        "https://127.0.0.1/fhir/Observation?_page=2",
        "http://localhost:{port}/fhir/Observation?_page=2",
        "https://127.0.0.1:{port}/fhir/Observation?_page=2",
        "http://127.0.0.1:{port}@evil.example/fhir/Observation",
        "http://evil.example:{port}/fhir/Observation",
        "file:///etc/passwd",
        "http://[::1/fhir",
        "http://127.0.0.1:port/fhir/Observation",
    ],
)
def test_a_next_page_on_another_server_gets_no_token(link):
    with Server(saying(ok(b"{}"))) as elsewhere, FhirServer(CHART, page_size=2) as server:
        root = server.base.removesuffix("/fhir")
        server.modes["Observation"] = "next:" + link.format(
            elsewhere=elsewhere.url().rstrip("/"),
            elsewhere_host=f"127.0.0.1:{elsewhere.port}",
            root=root,
            port=server.port,
        )
        outbound = Outbound(frozenset({"127.0.0.1", "localhost"}))  # it is not the network that stops it
        found = fetch_missing([RESULTS], PATIENT, {}, server.granted(), outbound, ENOUGH)["results"]
    assert (found.resources, found.state) == (FIVE[:2], "incomplete")
    assert found.why in ("its next page leads to another server", "its next page has no address")
    assert (elsewhere.connections, server.connections) == (0, 1)


def test_a_user_in_the_next_page_gets_no_token():
    with FhirServer(CHART, page_size=2) as server:
        server.modes["Observation"] = f"next:http://user@127.0.0.1:{server.port}/fhir/Observation?_page=2"
        found = fetched(server, RESULTS)["results"]
    assert (found.resources, found.state) == (FIVE[:2], "incomplete")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("fewer", "it holds back some of what it found"),
        ("fewer_included", "it holds back some of what it found"),
        ("next_nowhere", "its next page has no address"),
        ("empty_entry", "it has an entry that cannot be read"),
        ("note:warning", "it warns that its answer may not be whole"),
        ("note:error", "it warns that its answer may not be whole"),
        ("note:information+warning", "it warns that its answer may not be whole"),
        ("note:", "it warns that its answer may not be whole"),
        ("note:fatal", "it warns that its answer may not be whole"),
        ("note:odd", "it warns that its answer may not be whole"),
    ],
)
def test_what_may_not_be_whole_is_not_taken_for_whole(mode, why):
    found = results(mode=mode)
    assert (found.state, found.why) == ("incomplete", why)
    assert [each for each in found.resources if each["resourceType"] == "Observation"] == (
        FIVE[:4] if mode.startswith("fewer") else FIVE
    )


def test_a_problem_of_the_first_page_is_not_forgotten_on_the_last():
    found = results(mode={"Observation/1": "note:warning", "Observation/2": None}, page_size=3)
    assert found == Fetched(FIVE, "incomplete", "it warns that its answer may not be whole")


@pytest.mark.parametrize("mode", ["note:information", "note:success"])
def test_a_note_that_only_informs_changes_nothing(mode):
    assert results(mode=mode) == Fetched(FIVE, "complete", None)


def test_what_comes_along_is_not_counted_as_found():
    found = results(mode="included")
    assert found.state == "complete"
    assert [each["id"] for each in found.resources] == ["1", "2", "3", "4", "5", "m"]


# ---------------------------------------------------------------- what fails


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("301", "answered with status 301"),
        ("302", "answered with status 302"),
        ("400", "answered with status 400"),
        ("401", "the token was not accepted"),
        ("403", "the token does not allow it"),
        ("404", "not found"),
        ("410", "no longer there"),
        ("429", "too many requests"),
        ("500", "answered with status 500"),
        ("503", "answered with status 503"),
        ("html", "its answer is not FHIR JSON"),
        ("wrong_type", "its answer is not FHIR JSON"),
        ("no_type", "its answer is not FHIR JSON"),
        ("broken", "its answer is broken JSON"),
        ("twice", "its answer is broken JSON"),
        ("deep", "its answer is broken JSON"),
        ("empty", "its answer is broken JSON"),
        ("list", "its answer is not FHIR"),
        ("no_resource", "its answer is not FHIR"),
        ("compressed", "its answer is compressed"),
        ("outcome", "answered with an OperationOutcome"),
        ("history", "its answer is no search result"),
        ("odd_entry", "its answer is no search result"),
        ("closing", "broke the connection off"),
        ("endless", "its answer is too long"),
    ],
)
def test_what_is_no_answer_is_failed_in_words_of_ours(mode, why, caplog):
    caplog.set_level(logging.DEBUG)
    with FhirServer(CHART, modes={"Observation": mode}) as server:
        found = fetched(server, *ALL)
    assert found["results"] == Fetched([], "failed", why)
    assert (found["patient"].state, found["conditions"].state) == ("complete", "complete")
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("404", "not found"),
        ("410", "no longer there"),
        ("outcome", "answered with an OperationOutcome"),
        ("html", "its answer is not FHIR JSON"),
    ],
)
def test_a_patient_that_cannot_be_read_is_failed(mode, why):
    with FhirServer(CHART, modes={"Patient": mode}) as server:
        assert fetched(server, READ)["patient"] == Fetched([], "failed", why)


def test_another_resource_than_the_one_asked_for_is_failed():
    search = Search("patient", "Patient", "Observation/{{context.patientId}}")
    with FhirServer([observation("7")]) as server:
        found = fetched(server, search)["patient"]
        listed = fetched(server, Search("patient", "Patient", "Observation/"))["patient"]
    assert found == Fetched([], "failed", "its answer is something else")
    assert listed == Fetched([], "failed", "its answer is a list")


@pytest.mark.parametrize("context", [{}, {"patientId": ""}, {"userId": "7"}])
def test_a_patient_whom_the_call_does_not_name_is_not_asked_for(context):
    with FhirServer(CHART) as server:
        found = fetched(server, *ALL, context=context)
    assert {each.state for each in found.values()} == {"failed"}
    assert server.connections == 0


def test_a_place_that_is_no_part_of_the_context_is_not_filled():
    search = Search("user", "Practitioner", "{{userPractitionerId}}?x=y")
    with FhirServer(CHART) as server:
        found = fetched(server, search, context={"userPractitionerId": "Patient/7"})
    assert (found["user"].state, server.connections) == ("failed", 0)


@pytest.mark.parametrize(
    "id_", ["7&code=x", "7#", "7/../8", "..", "../../metadata", "7?_summary=count", "ü 7"]
)
def test_an_odd_patient_does_not_change_what_is_asked(id_):
    with FhirServer(CHART) as server:
        found = fetched(server, READ, CONDITIONS, context={"patientId": id_})
    assert found["patient"].state == "failed"
    assert found["conditions"].resources == []
    for path in server.asked:
        assert path.count("?") <= 1
        assert path.count("&") == 0
        assert ".." not in path.split("?")[0]


@pytest.mark.parametrize("token", ["", "expired", "with\r\nX: y", "ü"])
def test_a_token_that_is_not_good_is_not_repeated(token):
    with FhirServer(CHART) as server:
        granted = server.granted(token=token)
        found = fetched(server, *ALL, granted=granted)
    assert {each.state for each in found.values()} == {"failed"}
    assert not token or token not in f"{found}{granted}"


@pytest.mark.parametrize(
    "base", ["http://10.0.0.1/fhir", "http://localhost/fhir", "ftp://a.example", "", "https://"]
)
def test_a_server_that_is_never_called_is_failed(base):
    with FhirServer(CHART) as server:
        found = fetched(server, *ALL, granted=server.granted(base or "x"))
    assert {each.state for each in found.values()} == {"failed"}
    assert server.connections == 0


def test_a_server_that_is_gone_is_failed():
    with FhirServer(CHART) as server:
        pass
    found = fetched(server, *ALL)
    assert {each.why for each in found.values()} == {"refused the connection"}


def test_a_fault_of_ours_is_not_taken_for_one_of_theirs():
    class Broken(Outbound):
        def get(self, *_, **__):
            raise ZeroDivisionError

    with FhirServer(CHART) as server, pytest.raises(ZeroDivisionError):
        fetch_missing(ALL, PATIENT, {}, server.granted(), Broken(), ENOUGH)


# ---------------------------------------------------------------- in time


@pytest.mark.parametrize("mode", ["slow", "slow_head", "silent"])
def test_what_is_late_holds_nothing_else_up(mode):
    with FhirServer(CHART, modes={"Observation": mode}) as server:
        began = time.monotonic()
        found = fetched(server, *ALL, seconds=BRIEF)
        assert time.monotonic() - began < LONG
    assert found["results"] == Fetched([], "failed", "timed out")
    assert (found["patient"].state, found["conditions"].state) == ("complete", "complete")


def test_searches_are_asked_at_the_same_time():
    """Each answer waits until all have been asked for."""
    together = threading.Barrier(12, timeout=10)

    class Meeting(FhirServer):
        def _serve_one(self, connection, request, server):
            together.wait()
            super()._serve_one(connection, request, server)

    alike = [Search(f"s{number}", "Observation", "Observation?patient=7") for number in range(12)]
    with Meeting(CHART) as server:
        found = fetched(server, *alike)
    assert all(found[each.name] == Fetched(FIVE, "complete", None) for each in alike)


def test_no_more_are_asked_at_once_than_a_server_should_bear():
    lock, under_way, at_once = threading.Lock(), set(), []

    class Counting(Outbound):
        def get(self, url, **options):
            with lock:
                under_way.add(url)
                at_once.append(len(under_way))
            try:
                return super().get(url, **options)
            finally:
                with lock:
                    under_way.remove(url)

    alike = [
        Search(f"s{number}", "Observation", f"Observation?patient=7&s={number}") for number in range(100)
    ]
    with FhirServer(CHART) as server:
        outbound = Counting(frozenset({f"127.0.0.1:{server.port}"}))
        found = fetch_missing(alike, PATIENT, {}, server.granted(), outbound, ENOUGH)
    assert {each.state for each in found.values()} == {"complete"}
    assert len(found) == len(at_once) == 100
    assert max(at_once) <= MOST_AT_ONCE


def test_what_does_not_heed_the_deadline_holds_nothing_up():
    """A call that is stuck where no deadline reaches leaves the others their answers."""
    stuck = threading.Event()

    class Stuck(Outbound):
        def get(self, url, **options):
            if "Observation" in url:
                stuck.wait()
            return super().get(url, **options)

    with FhirServer(CHART) as server:
        outbound = Stuck(frozenset({f"127.0.0.1:{server.port}"}))
        try:
            began = time.monotonic()
            found = fetch_missing(ALL, PATIENT, {}, server.granted(), outbound, BRIEF)
            assert time.monotonic() - began < LONG
        finally:
            stuck.set()
    assert found["results"] == Fetched([], "failed", "timed out")
    assert found["patient"].state == "complete"


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_is_nothing_asked(seconds):
    with FhirServer(CHART) as server:
        found = fetched(server, *ALL, seconds=seconds)
    assert {(each.state, each.why) for each in found.values()} == {("failed", "timed out")}
    assert server.connections == 0
