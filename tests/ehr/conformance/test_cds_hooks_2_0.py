"""A test for each requirement of CDS Hooks 2.0 on a service, named by its number in requirements.py."""

import json
import re
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from service.app import create_app
from service.ehr.hooks import HOOKS, SERVICE
from service.records.journal import Act
from service.settings import BadSetting, Settings
from tests import databases
from tests.builders import shipped
from tests.ehr.an_ehr import (
    PUBLIC_URL,
    bearer,
    claims_at,
    ec_key,
    public,
    signed,
    signed_with_secret,
    unsigned,
)
from tests.ehr.calls import (
    NAMES,
    SERVICES,
    an_ehr,
    bundle,
    looked_for,
    nothing_empty,
    order,
    order_sign,
    patient,
    request,
)
from tests.ehr.conformance.requirements import REQUIREMENTS
from tests.ehr.fhir_server import TOKEN, FhirServer
from tests.fhir.others import problems_of

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
ACT = Act("cli:setup", "operator", "setup", NOW)
ORIGIN = "https://pages.ehr.example.org"
EXTENSION = "org.dosegate.checklist"


@dataclass
class Spoken:
    """What was said: an EHR and its application, discovery, and answers of every sort."""

    app: object
    ehr: object
    discovery: object
    answers: dict

    @property
    def services(self):
        return self.discovery.json["services"]

    @property
    def cards(self):
        return [card for answer in self.answers.values() for card in answer.json["cards"]]

    def each(self, name):
        """All that stands under a name in any card, at any depth."""
        return list(_under(self.cards, name))

    @property
    def codings(self):
        return [*(source["topic"] for source in self.each("source")), *self.reasons]

    @property
    def reasons(self):
        return [reason for reasons in self.each("overrideReasons") for reason in reasons]

    @property
    def suggestions(self):
        return [each for several in self.each("suggestions") for each in several]

    @property
    def actions(self):
        return [action for suggestion in self.suggestions for action in suggestion["actions"]]

    @property
    def links(self):
        return [link for links in self.each("links") for link in links]


def _under(value, name):
    for key, each in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        if key == name:
            yield each
        yield from _under(each, name)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    settings = Settings(
        database=databases.copy_of_sqlite(folder),
        keys=databases.signing_key(),
        public_url=PUBLIC_URL,
        private_hosts=frozenset({"127.0.0.1"}),
        fhir_seconds=20,
    )
    app = create_app(settings, shipped(), lambda: NOW)
    with closing(app.extensions["dosegate"].store.records):
        ehr = an_ehr(app, ACT, origins=(ORIGIN,))
        active = looked_for(patient=patient(), orders=bundle(order(status="active")))
        contexts = {
            "order-sign": {"draftOrders": bundle(order(), order("2", {"text": "Trogarzo"}))},
            "order-select": {"draftOrders": bundle(order()), "selections": ["MedicationRequest/order-1"]},
            "appointment-book": {"appointments": bundle()},
            "encounter-start": {"encounterId": "1"},
            "order-dispatch": {
                "dispatchedOrders": ["MedicationRequest/order-1"],
                "performer": "Organization/1",
            },
        }
        calls = {hook: request(hook, contexts.get(hook, {}), prefetch=active) for hook in HOOKS}
        calls["another drug"] = order_sign(order(medicine={"text": "Aspirin"}))
        calls["a look-alike"] = order_sign(order(medicine={"text": "Inebilizumap"}))
        calls["contradictory"] = order_sign(
            order(
                medicine={
                    "text": "Uplizna",
                    "coding": [{"system": "http://www.whocc.no/atc", "code": "J05AX23"}],
                }
            )
        )
        calls["unreadable"] = order_sign(
            prefetch={"results": bundle(_observation("final"), _observation("amended"))}
        )
        calls["positive"] = order_sign(prefetch={"results": bundle(_observation("final"))})
        answers = {name: ehr.call(document) for name, document in calls.items()}
        yield Spoken(app, ehr, ehr.discover(), answers)


def _observation(status):
    return {
        "resourceType": "Observation",
        "id": "31",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "5196-1"}]},
        "subject": {"reference": "Patient/pat-1"},
        "effectiveDateTime": "2026-09-20",
        "valueCodeableConcept": {"text": "Positive"},
    }


def texts(values):
    """Whether there are some, and all are texts that say something."""
    found = list(values)
    return bool(found) and all(isinstance(each, str) and each for each in found)


def absolute(address):
    return re.fullmatch(r"https://[^/\s]+/\S*|https://[^/\s]+", address) is not None


def test_every_requirement_has_a_test_and_every_sort_of_card_was_sent(spoken):
    named = {int(found[1]) for name in globals() if (found := re.match(r"test_(\d+)_", name))}
    assert named == set(REQUIREMENTS)
    assert len(REQUIREMENTS) == 73
    assert set(spoken.each("indicator")) >= {"warning", "critical"}
    assert spoken.suggestions
    assert spoken.answers["another drug"].json == {"cards": []}


# What is exchanged


def test_1_json(spoken):
    for answer in (spoken.discovery, *spoken.answers.values()):
        assert answer.content_type == "application/json"
        json.loads(answer.data)
    body = json.dumps(order_sign()).encode()
    refused = spoken.ehr.post(f"{SERVICES}/{SERVICE}", body, **{"Content-Type": "text/plain"})
    assert refused.status_code == 415


def https_only(monkeypatch):
    """Where EHRs find this service has an https address, or the service does not start."""
    for address in ("http://dosegate.example.org", "ftp://dosegate.example.org"):
        monkeypatch.setenv("DOSEGATE_PUBLIC_URL", address)
        with pytest.raises(BadSetting):
            Settings.from_environment()
    return True


def test_2_https(spoken, monkeypatch):
    assert https_only(monkeypatch)
    plain = bearer(
        signed(
            claims_at(NOW, f"http://dosegate.example{SERVICES}", iss=spoken.ehr.client.issuer), ec_key("epic")
        )
    )
    assert spoken.app.test_client().get(SERVICES, headers={"Authorization": plain}).status_code == 401


def test_3_nothing_empty(spoken):
    nothing_empty(spoken.discovery.json)
    for answer in spoken.answers.values():
        for card in answer.json["cards"]:
            nothing_empty(card)


def test_4_discovery_address(spoken):
    assert {
        rule.rule for rule in spoken.app.url_map.iter_rules() if rule.endpoint == "cds_hooks.discover"
    } == {"/cds-services"}


def test_5_discovery_by_get(spoken):
    assert spoken.ehr.discover().status_code == 200


def test_6_list_of_services(spoken):
    assert isinstance(spoken.discovery.json, dict)
    assert isinstance(spoken.services, list)


def test_7_hook(spoken):
    assert texts(each["hook"] for each in spoken.services)


def test_9_description(spoken):
    assert texts(each["description"] for each in spoken.services)


def test_10_id(spoken):
    assert texts(each["id"] for each in spoken.services)
    for each in spoken.services:
        assert spoken.ehr.call({}, service=each["id"]).status_code == 400


def test_13_discovery_200(spoken):
    assert spoken.discovery.status_code == 200


def test_16_address_of_a_service(spoken):
    assert spoken.ehr.call(order_sign(), service=spoken.services[0]["id"]).status_code == 200
    assert spoken.ehr.call(order_sign(), service="another").status_code == 404


# Prefetch


def templates(spoken):
    return [template for each in spoken.services for template in each["prefetch"].values()]


def tokens(spoken):
    return [token for template in templates(spoken) for token in re.findall(r"{{(.*?)}}", template)]


def test_29_templates_in_discovery(spoken):
    assert all(set(each["prefetch"]) == set(NAMES) for each in spoken.services)


def test_36_keys(spoken):
    known = spoken.answers["patient-view"].json["cards"]  # the orders came under the key `orders`
    assert known[0]["extension"][EXTENSION]["order"] == "MedicationRequest/order-1"
    assert texts(key for each in spoken.services for key in each["prefetch"])


def test_54_precondition_failed(spoken):
    answer = spoken.ehr.call(request("patient-view", {}))
    assert answer.status_code == 412
    assert answer.json["resourceType"] == "OperationOutcome"


def test_55_tokens_in_braces(spoken):
    assert tokens(spoken)
    for template in templates(spoken):
        assert not re.search(r"[{}]", re.sub(r"{{[^{}]+}}", "", template))


def test_56_tokens_of_the_context(spoken):
    assert set(tokens(spoken)) == {"context.patientId"}


def test_57_tokens_at_the_root(spoken):
    assert all(token.count(".") == 1 for token in tokens(spoken))


def test_59_tokens_by_name(spoken):
    assert all(re.fullmatch(r"context\.[A-Za-z]+", token) for token in tokens(spoken))


def test_61_access_token(spoken):
    with FhirServer([patient()]) as server:
        ehr = an_ehr(spoken.app, ACT, "fhir", fhir_servers=(server.base,))
        granted = {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 9,
            "scope": "x",
            "subject": "y",
        }
        assert ehr.call(order_sign(fhirServer=server.base, fhirAuthorization=granted)).status_code == 200
        assert len(server.requests) == len(NAMES)
        assert all(f"Authorization: Bearer {TOKEN}\r\n".encode() in each for each in server.requests)


# Answers and cards


def test_74_cards(spoken):
    for answer in spoken.answers.values():
        assert answer.status_code == 200
        assert isinstance(answer.json["cards"], list)


def test_75_no_system_actions(spoken):
    assert all(set(answer.json) == {"cards"} for answer in spoken.answers.values())


def test_80_uuid(spoken):
    given = [card["uuid"] for card in spoken.cards if "uuid" in card]
    assert texts(given)
    assert len({uuid.UUID(each) for each in given}) == len(given)


def test_83_summary(spoken):
    assert texts(spoken.each("summary"))
    assert all(len(each) < 140 for each in spoken.each("summary"))


def test_85_detail(spoken):
    render = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render
    for detail in spoken.each("detail"):
        assert isinstance(detail, str)
        assert set(re.findall(r"<(\w+)", render(detail))) <= {"p", "strong", "ul", "ol", "li"}


def test_87_indicator(spoken):
    assert texts(card["indicator"] for card in spoken.cards)


def test_88_indicators(spoken):
    assert set(spoken.each("indicator")) <= {"info", "warning", "critical"}


def test_89_indicators_can_be_sorted(spoken):
    urgency = ["critical", "warning", "info"]
    for card in spoken.cards:
        found = [each["status"] for each in card["extension"][EXTENSION].get("findings", [])]
        if found:
            worst = min(urgency.index({"block": "critical", "warn": "warning"}[each]) for each in found)
            assert urgency.index(card["indicator"]) == worst


def test_90_source(spoken):
    assert all(isinstance(card["source"], dict) for card in spoken.cards)


def test_92_suggestions(spoken):
    assert all(isinstance(each, list) and each for each in spoken.each("suggestions"))


def test_93_selection_behavior_with_suggestions(spoken):
    assert all(("suggestions" in card) == ("selectionBehavior" in card) for card in spoken.cards)


def test_95_selection_behavior(spoken):
    assert set(spoken.each("selectionBehavior")) <= {"at-most-one", "any"}


def test_96_selection_behavior_is_a_text(spoken):
    assert texts(spoken.each("selectionBehavior"))


def test_98_override_reasons(spoken):
    assert all(isinstance(each, list) and each for each in spoken.each("overrideReasons"))
    assert all(isinstance(each, dict) for each in spoken.reasons)


def test_100_override_reasons_have_words(spoken):
    assert texts(each["display"] for each in spoken.reasons)


def test_103_links(spoken):
    assert spoken.links
    assert all(isinstance(each, list) for each in spoken.each("links"))


def test_105_label_of_a_source(spoken):
    assert texts(each["label"] for each in spoken.each("source"))


def test_107_url_of_a_source(spoken):
    given = [each["url"] for each in spoken.each("source") if "url" in each]
    assert given
    assert all(map(absolute, given))


def test_111_no_icon(spoken):
    assert spoken.each("icon") == []


def test_115_topic(spoken):
    assert all(isinstance(each["topic"], dict) for each in spoken.each("source"))


def test_117_label_of_a_suggestion(spoken):
    assert texts(each["label"] for each in spoken.suggestions)


def test_119_uuid_of_a_suggestion(spoken):
    given = [each["uuid"] for each in spoken.suggestions]
    assert texts(given)
    assert len(set(given)) == len(given)


def test_121_no_recommendation(spoken):
    assert spoken.each("isRecommended") == []


def test_124_actions(spoken):
    assert all(isinstance(each["actions"], list) and each["actions"] for each in spoken.suggestions)


def test_125_all_actions_of_a_suggestion(spoken):
    # One action each, so that none is taken without another that it needs.
    assert all(len(each["actions"]) == 1 for each in spoken.suggestions)


def test_127_type_of_an_action(spoken):
    assert {each["type"] for each in spoken.actions} <= {"create", "update", "delete"}


def test_128_description_of_an_action(spoken):
    assert texts(each["description"] for each in spoken.actions)


def test_130_resource_of_an_action(spoken):
    assert spoken.actions
    for action in spoken.actions:
        assert problems_of(action["resource"]) == []


def test_131_what_is_created_is_new(spoken):
    for action in spoken.actions:
        resource = action["resource"]
        assert (resource["resourceType"], resource["status"]) == ("ServiceRequest", "draft")
        assert "id" not in resource
        assert resource["subject"] == {"reference": "Patient/pat-1"}


def test_132_no_update(spoken):
    assert {each["type"] for each in spoken.actions} == {"create"}


def test_133_no_deletion(spoken):
    assert {each["type"] for each in spoken.actions} == {"create"}


def test_134_no_deletion(spoken):
    assert {each["type"] for each in spoken.actions} == {"create"}


def test_135_no_resource_id(spoken):
    assert spoken.each("resourceId") == []


def test_136_reasons_can_be_read(spoken):
    assert all(" " in each["display"] for each in spoken.reasons)


def test_138_label_of_a_link(spoken):
    assert texts(each["label"] for each in spoken.links)


def test_139_address_of_a_link(spoken):
    assert all(absolute(each["url"]) for each in spoken.links)


def test_141_type_of_a_link(spoken):
    assert texts(each["type"] for each in spoken.links)


def test_142_types_of_links(spoken):
    assert {each["type"] for each in spoken.links} == {"absolute"}


def test_144_no_app_context(spoken):
    assert spoken.each("appContext") == []


def test_147_absolute_links_have_no_app_context(spoken):
    assert all(set(each) == {"label", "url", "type"} for each in spoken.links)


# Trust


def test_168_tls(spoken, monkeypatch):
    assert https_only(monkeypatch)
    assert all(each["url"].startswith("https://") for each in spoken.links)


def asked_with(spoken, token):
    return spoken.app.test_client().get(SERVICES, headers={"Authorization": bearer(token)}).status_code


def claims(spoken):
    return claims_at(NOW, f"{PUBLIC_URL}{SERVICES}", iss=spoken.ehr.client.issuer)


def test_176_signed_tokens(spoken):
    assert asked_with(spoken, signed(claims(spoken), ec_key("epic"))) == 200
    assert asked_with(spoken, signed(claims(spoken), ec_key("another"), kid="epic")) == 401
    assert spoken.app.test_client().get(SERVICES).status_code == 401


def test_199_keys_that_were_given_by_hand(spoken):
    assert [key["kid"] for key in spoken.ehr.client.jwks["keys"]] == ["epic"]
    assert spoken.ehr.client.jwks_url is None
    assert asked_with(spoken, signed(claims(spoken), ec_key("epic"))) == 200


def test_201_unsigned_tokens(spoken):
    for name in ("none", "None", "NONE"):
        token = unsigned(claims(spoken), {"alg": name, "typ": "JWT", "kid": "epic"})
        assert asked_with(spoken, token) == 401


def test_203_shared_secrets(spoken):
    secret = json.dumps(public(ec_key("epic"))["keys"][0]).encode()
    for alg in ("HS256", "HS384", "HS512"):
        assert asked_with(spoken, signed_with_secret(claims(spoken), "epic", alg, secret)) == 401


def test_208_cors(spoken):
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    for path in (SERVICES, f"{SERVICES}/{SERVICE}", f"{SERVICES}/{SERVICE}/feedback"):
        answer = spoken.app.test_client().options(path, headers=asks)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        foreign = {**asks, "Origin": "https://elsewhere.example"}
        answer = spoken.app.test_client().options(path, headers=foreign)
        assert "Access-Control-Allow-Origin" not in answer.headers


# Several hooks, extensions, codings


def test_211_one_id_on_several_hooks(spoken):
    assert len({each["hook"] for each in spoken.services}) == len(spoken.services) == 6
    assert {each["id"] for each in spoken.services} == {SERVICE}


def test_213_what_is_needed_is_said(spoken):
    assert texts(each["usageRequirements"] for each in spoken.services)


def test_214_extensions(spoken):
    for extension in spoken.each("extension"):
        assert set(extension) == {EXTENSION}
        assert isinstance(extension[EXTENSION], dict)


def test_216_codes(spoken):
    assert texts(each["code"] for each in spoken.codings)


def test_217_systems(spoken):
    assert texts(each["system"] for each in spoken.codings)


def test_218_codes(spoken):
    assert texts(each["code"] for each in spoken.codings)


def test_219_words_of_reasons(spoken):
    assert texts(each["display"] for each in spoken.reasons)


def test_220_words_of_topics(spoken):
    assert texts(source["topic"]["display"] for source in spoken.each("source"))
