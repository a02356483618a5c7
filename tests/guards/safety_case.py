"""Writes docs/safety-case.md from the hazard log, the locked packages and the shipped rules."""

import re
from collections import Counter
from string import Template

from service.checklist.rules import Status
from service.knowledge.source_attributes import KINDS, LABELS, source_attributes
from tests.builders import ROOT, shipped
from tests.guards.hazards import ACCEPTED, hazard_log, risk

FILE = ROOT / "docs" / "safety-case.md"
WORDS = ROOT / "tests" / "guards" / "safety_case.in.md"
LOCK = ROOT / "requirements" / "run.txt"
LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def written():
    """The whole page."""
    log = hazard_log()
    return Template(WORDS.read_text(encoding="utf-8")).substitute(
        drugs=", ".join(pack.title.lower() for pack in shipped().packs.values()),
        rules=rules(),
        scales=scales(log),
        matrix=matrix(log),
        accepted=f"risk {ACCEPTED}",
        residual=bullets(
            (hazard["hazard"], hazard["residual"])
            for hazard in log["hazards"].values()
            if risk(log, hazard, "after") == ACCEPTED
        ),
        site=bullets(on_the_site(log)),
        hazards="\n\n".join(of_hazard(log, name, hazard) for name, hazard in log["hazards"].items()),
        anomalies="\n\n".join(of_software(name, each) for name, each in log["provenance"].items()),
        packages=", ".join(f"{name} {version}" for name, version in locked().items()) + ".",
        attributes=table(("kind", "rules that use it"), uses()),
    )


def locked():
    """Package -> version of all that runs."""
    return dict(LOCKED.findall(LOCK.read_text(encoding="utf-8")))


def table(head, rows):
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def bullets(pairs):
    """A list, each with its name."""
    return "\n".join(f"- **{name}** {said}" for name, said in pairs)


def rules():
    """How many rules there are, and on what they rest."""
    every = [rule for pack in shipped().packs.values() for rule in pack.rules]
    on_label = sum("label" in grades(rule) for rule in every)
    on_site = sum(grades(rule) == {"site"} for rule in every)
    unverified = sum(rule.unverified for rule in every)
    weak = [
        f"{pack.id} {', '.join(found)}"
        for pack in shipped().packs.values()
        if (found := [f"`{rule.id}`" for rule in pack.rules if is_weak(rule)])
    ]
    return (
        f"{len(every)} rules in {len(shipped().packs)} packs. {on_label} cite a label, {on_site} rest on "
        "site policy alone, and the others on regulators, reference works, experts or the press. "
        f"{unverified} rest on a statement that nobody has verified, and only warn. "
        f"**{sum(map(is_weak, every))} block and cite no label, regulator or site policy, only "
        "reference works, experts or the press**: "
        f"{'; '.join(weak)}. A pharmacist finds the sentence of the label before they are used"
    )


def is_weak(rule):
    """Whether a rule blocks and cites no label, regulator or site policy."""
    return rule.status is Status.BLOCK and not grades(rule) & {"label", "regulator", "site"}


def grades(rule):
    """Of what grade the sources of a rule are."""
    return {cited.source.grade for cited in rule.citations}


def scales(log):
    """What the words of the estimates mean, and the table of risks."""
    words = [f"- *{name.replace('_', ' ')}*: {said}" for name, said in log["severity"].items()]
    often = [f"- *{name.replace('_', ' ')}*: {said}" for name, said in log["likelihood"].items()]
    head = ("likelihood \\ severity", *log["severity"])
    rows = [(name.replace("_", " "), *row.values()) for name, row in log["risk"].items()]
    return "\n".join(("Severity", "", *words, "", "Likelihood", "", *often, "", table(head, rows)))


def matrix(log):
    """Risks, counted."""
    counted = {
        when: Counter(risk(log, hazard, when) for hazard in log["hazards"].values())
        for when in ("before", "after")
    }
    rows = [(each, counted["before"][each], counted["after"][each]) for each in range(5, 0, -1)]
    return table(("risk", "before", "after"), rows)


def on_the_site(log):
    """What is asked of the site, by hazard: its own part, and the procedures that count as controls."""
    for hazard in log["hazards"].values():
        procedures = [each["says"] for each in hazard["controls"] if each["kind"] == "procedure"]
        asked = [*procedures, *([hazard["site"]] if hazard["site"] != "None." else [])]
        if asked:
            yield hazard["hazard"], " ".join(asked)


def of_hazard(log, name, hazard):
    """One hazard, with all that is said of it."""
    likelihood = {when: each.replace("_", " ") for when, each in hazard["likelihood"].items()}
    lines = [
        f"### {name}",
        "",
        f"**{hazard['hazard']}** {hazard['effect']}",
        "",
        f"- Causes: {'; '.join(hazard['causes'])}.",
        f"- Severity: {hazard['severity']}. Likelihood: {likelihood['before']}; with the controls "
        f"{likelihood['after']}. Risk: {risk(log, hazard, 'before')}, then {risk(log, hazard, 'after')}.",
        *(
            f"- {control['kind'].capitalize()}: {control['says']}{shown(control)}"
            for control in hazard["controls"]
        ),
        f"- Remains: {hazard['residual']}",
        f"- The site: {hazard['site']}",
    ]
    return "\n".join(lines)


def of_software(name, software):
    """One piece of software of others, with its version and its faults."""
    lines = [f"### {name} {locked()[name]}", "", f"Here it {software['used']}."]
    lines += ["", table(("fault", "against it", "tests"), map(of_anomaly, software["anomalies"]))]
    return "\n".join(lines)


def of_anomaly(anomaly):
    """One fault as a row."""
    return anomaly["fault"], anomaly["against"], "<br>".join(f"`{test}`" for test in anomaly["tests"])


def shown(control):
    """The tests of a control, below it."""
    return "".join(f"\n  - `{test}`" for test in control.get("tests", ()))


def uses():
    """How many rules of each pack use which kind of personal data."""
    every = {pack.title: source_attributes(pack) for pack in shipped().packs.values()}
    for kind in KINDS:
        counted = {title: sum(each.uses(kind) for each in rules) for title, rules in every.items()}
        said = "; ".join(f"{title}: {count}" for title, count in counted.items() if count)
        yield LABELS[kind].removeprefix("Use of "), said or "not used"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
