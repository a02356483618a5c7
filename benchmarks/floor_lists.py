"""The hand-written rules of `floor` that look into lists: vaccines, reactions, medicines."""

from benchmarks.floor_facts import both, either, equals, inverse

THIS_DRUG = {"inebilizumab", "inebilizumab-cdon", "uplizna"}
COMPONENTS = {
    *THIS_DRUG,
    *("histidine", "l-histidine", "histidine hydrochloride", "l-histidine hydrochloride", "histidine hcl"),
    *("l-histidine hydrochloride monohydrate", "polysorbate 80", "sodium chloride", "nacl", "trehalose"),
    *("trehalose dihydrate", "alpha,alpha-trehalose dihydrate"),
}
RULES = ("missing", "of-another-day", "only-ordered", "waived", "timing")
WINDOWS = [
    (name, start, end, [f"premedication-{rule}-{name}" for rule in RULES])
    for name, start, end in (("corticosteroid", 30, 30), ("antihistamine", 30, 60), ("antipyretic", 30, 60))
]
DAY = 1440


def vaccination(found, patient, policy):
    vaccines = patient.value("vaccinations")
    first, first_on = patient.first, patient.first_on
    live = unspecified = False
    recent = since = planned = None
    if vaccines is not None:
        recent = since = planned = False
        for each in vaccines:
            kind, status, on = each.get("kind"), each.get("status"), each.get("on")
            given = equals(status, "given")
            within = None if on is None else (patient.today - on).days < 28
            certain = given and within
            live = live or (certain and kind == "live")
            unspecified = unspecified or (certain and kind == "unspecified")
            of_any_kind = None if kind is None else kind in ("live", "unspecified", "non_live")
            recent = either(recent, both(both(given, within), of_any_kind))
            may_be_live = None if kind is None else kind in ("live", "unspecified")
            after = None if on is None or first_on is None else on >= first_on
            since = either(since, both(both(may_be_live, given), after))
            planned = either(planned, both(may_be_live, equals(status, "planned")))
    found["live-vaccine-within-4-weeks"] = first if live else False
    found["vaccines-not-known"] = False if live else both(first, recent)
    blocks = unspecified and policy["unspecified_vaccine"] == "block"
    found["unspecified-vaccine-within-4-weeks"] = first if blocks else False
    found["live-vaccine-since-first-dose"] = both(patient.later, since)
    found["live-vaccine-planned"] = planned


def reactions(found, recorded, region):
    threatening = severe = mild = sensitive = None
    if recorded is not None:
        threatening = severe = mild = sensitive = False
        for each in recorded:
            substance = each["substance"].casefold()
            if substance not in COMPONENTS:
                continue
            kind, severity = each.get("type"), each.get("severity")
            allergic = None if kind is None else kind in ("hypersensitivity", "anaphylaxis")
            sensitive = either(sensitive, allergic)
            if substance in THIS_DRUG:
                during = equals(kind, "infusion_reaction")
                less = None if severity is None else severity in ("mild", "moderate")
                threatening = either(threatening, equals(severity, "life_threatening"))
                severe = either(severe, both(during, equals(severity, "severe")))
                mild = either(mild, both(during, less))
    found["life-threatening-reaction"] = threatening
    found["severe-reaction"], found["mild-reaction"] = severe, mild
    found["hypersensitivity-eu"] = sensitive if region == "EU" else False
    found["hypersensitivity-us"] = sensitive if region == "US" else False


def chronic(medicines):
    if medicines is None:
        return None
    answer = False
    for each in medicines:
        answer = either(answer, equals(each.get("use"), "chronic"))
    return answer


def premedication(found, patient, tolerance):
    charted, at = patient.value("premedications"), patient.at
    of_class = {"corticosteroid": [], "antihistamine": [], "antipyretic": []}
    for each in charted or ():
        status, when = each.get("status"), each.get("at")
        minutes = None if when is None else (at - when).total_seconds() // 60
        if minutes is None or minutes >= 0 or status != "given":
            of_class[each["class"]].append((status, minutes))
    for name, start, end, (missing, of_another_day, only_ordered, without, off_time) in WINDOWS:
        entries = of_class[name]
        statuses = [status for status, _ in entries]
        given, ordered, waived = "given" in statuses, "ordered" in statuses, "waived" in statuses
        found[missing] = None if charted is None else not entries
        found[only_ordered] = ordered and not given and not waived
        found[without] = waived and not given
        found[of_another_day] = found[off_time] = False
        if given:
            in_time, days_ago, today = False, False, False
            for status, minutes in entries:
                within = None if minutes is None else start - tolerance <= minutes <= end + tolerance
                in_time = either(in_time, both(equals(status, "given"), within))
                if status == "given" and minutes is not None:
                    days_ago, today = days_ago or minutes > DAY, today or minutes <= DAY
            found[off_time] = inverse(in_time)
            found[of_another_day] = days_ago and not (today or ordered or waived)


def signs_of_infection(patient):
    if patient.value("infection_signs"):
        return True
    temperature = patient.amount("temperature", "Cel")
    if temperature is not None and temperature.value >= 38:
        return True
    return any(each.get("purpose") == "treatment" for each in patient.value("anti_infectives") or ())
