"""The same rules by hand, in zen-engine and in CLIPS: proved to be the same, then timed side by side."""

from collections import defaultdict

from benchmarks.clips_rules import ClipsRules
from benchmarks.clock import Contender, race
from benchmarks.floor import verdicts
from benchmarks.patients import case_of, mixed, typical, with_old_premedication
from benchmarks.report import aim, heading, micros, note, rate, table, times
from benchmarks.zen_rules import ZenRules
from service.checklist.evaluate import evaluate
from service.checklist.trace import measure
from service.checklist.truth import FALSE, TRUE, UNKNOWN

DRUG = "inebilizumab"
PROOF = 800
DECIDING, ANSWERING, RATE = 12, 30, 2_000
TRUTHS = {True: TRUE, None: UNKNOWN, False: FALSE}
BY_HAND, DECIDED, ANSWERED = "hand-written Python", "deciding", "full answer"


class Differ(Exception):
    """The rules are not the same everywhere: whoever changes the pack changes `floor` with it."""


class Rivals:
    """Everything that can say the verdicts of the pack."""

    def __init__(self, library):
        self.library, self.pack = library, library.packs[DRUG]
        self.policy = library.policy.values
        self.engine = library.engine(self.pack)
        self.zen, self.clips = ZenRules(self.pack), ClipsRules(self.pack)

    def by_hand(self, request):
        """The floor's verdicts."""
        situation = request.situation
        return verdicts(situation.facts.readings, situation.infusion_at, situation.region, self.policy)

    def measured(self, request):
        """The values that the others compare."""
        return measure(self.pack, case_of(request, self.policy))

    def prove(self):
        """Raise Differ where anybody differs from the engine about a patient."""
        seen, shipped = defaultdict(set), self.policy
        patients = mixed(self.library, DRUG, PROOF, seed=7, change=with_old_premedication)
        for number, request in enumerate(patients):
            self.policy = {**shipped, "unspecified_vaccine": "block"} if number % 2 else shipped
            for rule, verdict in self.agreed(request).items():
                seen[rule].add(verdict)
        self.policy = shipped
        varied = sum(len(truths) > 1 for truths in seen.values())
        note(
            f"""All give the same verdicts on {PROOF} random patients, rule by rule; {varied} of the
            {len(seen)} rules have more than one verdict among them. CPU time for one evaluation: the median
            of the rounds, and the ratio to the floor, hand-written Python, within a round. What is called
            alone begins with the measured values, the rest with a patient's facts."""
        )

    def agreed(self, request):
        """The verdicts that all agree on."""
        values = self.measured(request)
        expected = self.engine.decide(values)
        others = {
            BY_HAND: {rule: TRUTHS[verdict] for rule, verdict in self.by_hand(request).items()},
            "zen-engine": self.zen.decide(values),
            "CLIPS": self.clips.decide(values),
            "the trace": {rule.id: rule.concern.truth(values) for rule in self.pack.rules},
        }
        for name, found in others.items():
            if found != expected:
                rules = [rule for rule in expected | found if expected.get(rule) != found.get(rule)]
                raise Differ(f"{name} and the engine differ on {', '.join(rules)}: none of them is timed")
        return expected

    def contenders(self, requests):
        """Who is timed, on these patients."""
        measured = [self.measured(request) for request in requests]
        decide, policy = self.engine.decide, self.policy
        zen, clips, values = self.zen, self.clips, self.measured

        def answer(request):
            return evaluate(self.pack, request.situation, policy, self.engine)

        return [
            Contender(BY_HAND, self.by_hand, requests),
            Contender(DECIDED, lambda each: decide(values(each)), requests),
            Contender(ANSWERED, answer, requests),
            Contender("measured, zen-engine", lambda each: zen.decide(values(each)), requests),
            Contender("measured, CLIPS", lambda each: clips.decide(values(each)), requests, clips.refresh),
            Contender("measuring alone", values, requests),
            Contender("durable-rules alone", decide, measured),
            Contender("zen-engine alone", zen.decide, measured),
            Contender("CLIPS alone", clips.decide, measured, clips.refresh),
        ]


def report(library, effort):
    """Prove, measure and print."""
    heading("The inebilizumab rules, against the floor and other engines")
    rivals = Rivals(library)
    rivals.prove()
    clear = rivals.contenders([typical(library, DRUG, "first")])
    random = rivals.contenders(mixed(library, DRUG, effort.mixed))
    race(clear, effort.rounds * 3)
    race(random, effort.rounds)
    rows = []
    for one, many in zip(clear, random, strict=True):
        figures = [micros(one.cost), times(one.times(clear[0]))]
        figures += [micros(many.cost), times(many.times(random[0]))]
        rows.append([one.name, *figures])
        if one.name in (ANSWERED, "measured, CLIPS"):
            rows.append([""] * 5)
    table(("", "clear, µs", "floor", f"{effort.mixed} mixed, µs", "floor"), rows)
    print()
    for said, (floor, decided, answered, *_) in (("clear patient", clear), ("mixed patients", random)):
        ratio = decided.times(floor)
        aim(f"{said}, deciding at most {DECIDING} x the floor ({times(ratio)})", ratio <= DECIDING)
        ratio = answered.times(floor)
        aim(f"{said}, full answer at most {ANSWERING} x the floor ({times(ratio)})", ratio <= ANSWERING)
        fast = f"{rate(answered.rate)}, in the best round {rate(answered.best)}"
        aim(f"{said}, at least {rate(RATE)} full answers a CPU second ({fast})", answered.rate >= RATE)
