"""From a checklist to the cards that an EHR shows. Pure: nothing here reads, writes or asks the time.

Cards say what the findings say, and never more. All that is unknown is one card, however much it is: twenty
cards at once are read by nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.checklist.facts import Vocabulary
from service.checklist.rules import Kind
from service.ehr import details
from service.ehr.markdown import summary
from service.fhir.told import REASON_SYSTEM
from service.records.reasons import Reason

INDICATORS = {"block": "critical", "warn": "warning", "pass": "info"}
_URGENCY = tuple(INDICATORS.values())
EXTENSION = "org.dosegate.checklist"
TOPICS = "urn:dosegate:topic"
_UNKNOWN = (Kind.MISSING, Kind.STALE)
_MOST_NAMED = 3

OVERRIDE_REASONS = [
    {"code": reason.value, "system": REASON_SYSTEM, "display": reason.words} for reason in Reason
]


@dataclass(frozen=True)
class Card:
    """A card as it is sent. `findings` are the checks and rules that it is about, for what is told of it.

    `id` is None for one that rests on no checklist: of such a card nothing can be told.
    """

    document: Mapping[str, Any]
    findings: tuple[tuple[str, str | None], ...] = ()

    @property
    def id(self) -> str | None:
        """Its uuid."""
        return self.document.get("uuid")

    @property
    def suggestions(self) -> list[str]:
        """The uuids of what it suggests."""
        return [each["uuid"] for each in self.document.get("suggestions", ())]


@dataclass(frozen=True)
class Orders:
    """What could be ordered, by the missing fact that it gives; and which facts are on order, by what."""

    drafts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What cards say beside the checklist: which call they answer, about which order, and where we are.

    `base` is our public address; `new_id` makes uuids; `unread` are the searches whose answers are not whole,
    by name, with what is wrong. `infusion_at_from` is what says when the infusion is meant to be; it is
    `in_doubt` where nothing does and it need not be now.
    """

    hook_instance: str
    order: str
    base: str
    new_id: Callable[[], str]
    unread: Mapping[str, str] = field(default_factory=dict)
    infusion_at_from: str = field(kw_only=True)
    in_doubt: bool = field(default=False, kw_only=True)


def cards_of(
    result: Mapping[str, Any],
    asked: Asked,
    vocabulary: Vocabulary,
    orders: Orders,
    *,
    pass_card: bool = True,
) -> list[Card]:
    """The cards of one checklist, worst first. `orders` go with what is missing."""
    maker = _Maker(result, asked, vocabulary)
    found = [each for each in result["findings"] if each["status"] != "pass"]
    faults = [each for each in found if each["kind"] == Kind.ENGINE]
    unknown = [each for each in found if each["kind"] in _UNKNOWN]
    cards = [maker.fault(faults)] if faults else []
    cards += [maker.decided(each) for each in found if each not in faults and each not in unknown]
    cards += [maker.unknown(unknown, orders)] if unknown else []
    if not found and pass_card:
        cards.append(maker.passed())
    return sorted(cards, key=lambda card: _URGENCY.index(card.document["indicator"]))


def without_checklist(
    name: str,
    said: str,
    paragraphs: Sequence[str],
    *,
    status: str,
    topic: str,
    order: str | None = None,
) -> Card:
    """A card that rests on no checklist, since none could be made. It has no uuid: nothing is told of it."""
    about = {"status": status, "order": order}
    return Card(
        stated(
            {
                "summary": summary(name, said),
                "detail": "\n\n".join(paragraphs),
                "indicator": INDICATORS[status],
                "source": _source("Dosegate", None, topic, topic.replace("-", " ")),
                "extension": {EXTENSION: about},
            }
        )
    )


class _Maker:
    """Makes the cards of one checklist."""

    def __init__(self, result: Mapping[str, Any], asked: Asked, vocabulary: Vocabulary) -> None:
        self.result, self.asked, self.vocabulary = result, asked, vocabulary
        self.rules = f"{asked.base}/api/v1/drugs/{result['drug']}"
        self.about = details.about(asked.order, result["infusion_at"], in_doubt=asked.in_doubt)

    def decided(self, finding: Mapping[str, Any]) -> Card:
        said = f"{finding['title']}: {finding['message']}"
        cited = finding["sources"][0] if finding["sources"] else None
        label = f"{cited['title']}, {cited['revised']}" if cited else self._own()
        source = _source(label, self.rules, finding["check"], finding["title"])
        return self._card([finding], said, details.decided(finding, self.vocabulary), source)

    def unknown(self, findings: Sequence[Mapping[str, Any]], orders: Orders) -> Card:
        named = {name for each in findings for name in each["missing"]}
        names = [name for name in self.result["needs"] if name in named] or sorted(named)
        labels = details.labels(names, self.vocabulary)
        more = len(labels) - _MOST_NAMED
        listed = ", ".join(labels[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        said = f"{len(labels)} {'fact is' if len(labels) == 1 else 'facts are'} unknown: {listed}"
        detail = details.asked(findings, self.vocabulary, placed=orders.placed, unread=self.asked.unread)
        source = _source(self._own(), self.rules, "unknown-facts", "Unknown facts")
        card = self._card(findings, said, detail, source)
        on_record = details.on_record(findings)
        offered = [
            self._suggestion(fact, draft) for fact, draft in orders.drafts.items() if fact not in on_record
        ]
        more_keys = {"suggestions": offered, "selectionBehavior": "any"} if offered else {}
        return replace(card, document={**card.document, **more_keys})

    def fault(self, findings: Sequence[Mapping[str, Any]]) -> Card:
        source = _source(self._own(), self.rules, "fault", "Fault of the service")
        said = "nothing could be checked, hold: " + findings[0]["message"]
        return self._card(findings, said, details.fault(findings), source)

    def passed(self) -> Card:
        findings = self.result["findings"]
        beside = sum(each["kind"] == Kind.NOT_APPLICABLE for each in findings)
        count = len(findings) - beside
        said = f"{count} {'check' if count == 1 else 'checks'} passed, nothing found"
        said += f"; {beside} not applicable" if beside else ""
        source = _source(self._own(), self.rules, "passed", "Nothing found")
        return self._card(findings, said, details.passed(self.result), source)

    def _own(self) -> str:
        pack = self.result["pack"]
        return f"Dosegate rules for {self.result['title']}, version {pack['version']}"

    def _card(
        self, findings: Sequence[Mapping[str, Any]], said: str, detail: str, source: Mapping[str, Any]
    ) -> Card:
        status = max((each["status"] for each in findings), key=_rank)
        document = {
            "uuid": self.asked.new_id(),
            "summary": summary(self.result["title"], said),
            "detail": f"{self.about}\n\n{detail}",
            "indicator": INDICATORS[status],
            "source": source,
            "overrideReasons": OVERRIDE_REASONS if status != "pass" else None,
            "links": [
                {
                    "label": "Open the checklist",
                    "url": f"{self.asked.base}/checklists/{self.result['id']}",
                    "type": "absolute",
                }
            ],
            "extension": {EXTENSION: self._about(findings)},
        }
        keys = tuple((each["check"], each["rule"]) for each in findings)
        return Card(stated(document), keys)

    def _about(self, findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the card is about, for programs. `status` is that of the whole checklist."""
        result = self.result
        names = ("check", "rule", "status", "kind", "override")
        return {
            **{name: result[name] for name in ("id", "status", "needs", "drug", "region", "infusion_at")},
            "pack": result["pack"],
            "eligible_from": result["eligible_from"],
            "infusion_at_from": self.asked.infusion_at_from,
            "order": self.asked.order,
            "hookInstance": self.asked.hook_instance,
            "unread": dict(self.asked.unread),
            "checklist": f"{self.asked.base}/api/v1/checklists/{result['id']}",
            "trace": f"{self.asked.base}/api/v1/checklists/{result['id']}/trace",
            "findings": [{name: each[name] for name in names} for each in findings],
        }

    def _suggestion(self, fact: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        [label] = details.labels([fact], self.vocabulary)
        description = f"Create a draft order: {draft['code']['text']}"
        action = {"type": "create", "description": description, "resource": stated(draft)}
        return {"label": f"Order {label}", "uuid": self.asked.new_id(), "actions": [action]}


def stated(value: Any) -> Any:
    """A document without what says nothing: null, and empty texts, lists and objects."""
    if isinstance(value, Mapping):
        said = {key: stated(each) for key, each in value.items()}
        return {key: each for key, each in said.items() if not _is_nothing(each)}
    if isinstance(value, list | tuple):
        return [each for each in map(stated, value) if not _is_nothing(each)]
    return value


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str | dict | list) and not value)


def _rank(status: str) -> int:
    return -_URGENCY.index(INDICATORS[status])


def _source(label: str, url: str | None, topic: str, display: str) -> dict[str, Any]:
    return {"label": label, "url": url, "topic": {"code": topic, "system": TOPICS, "display": display}}
