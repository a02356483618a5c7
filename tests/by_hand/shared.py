"""Checks that more than one of the drugs has, each told apart by what it is given."""

from datetime import timedelta
from decimal import Decimal

from .facts import BLOCK, PASS, WARN, any_of, birthday, day_of, known, worst

NAMES = {  # how a reaction, a prescription or a request may name the drug, in any case
    "inebilizumab": {"inebilizumab", "inebilizumab-cdon", "uplizna"},
    "ibalizumab": {"ibalizumab", "ibalizumab-uiyk", "trogarzo"},
    "inotuzumab_ozogamicin": {"inotuzumab ozogamicin", "inotuzumab_ozogamicin", "besponsa"},
}
SALT = {"sodium chloride", "nacl"}
HISTIDINE = {"histidine", "l-histidine", "histidine hydrochloride", "histidine hcl"}
EXCIPIENTS = {
    "inebilizumab": SALT | HISTIDINE | {"polysorbate 80", "trehalose", "trehalose dihydrate"},
    "ibalizumab": SALT | HISTIDINE | {"polysorbate 80", "sucrose"},
    "inotuzumab_ozogamicin": SALT | {"polysorbate 80", "sucrose", "trometamol", "tromethamine"},
}

LIVE_CODES = set(
    "02 03 04 05 06 07 94 21 121 111 149 333 116 119 122 25 37 183 184 56 75 19 143 174 204 317 "
    "80 54 55 74 105 125 169".split()
)
UNSPECIFIED_CODES = set("188 151 164 108 147 214 330 325 206".split())  # 206: live, not replicating
NON_LIVE_CODES = set("187 150 158 33 133 215 216 08 43 189 220 114 136 203 162 163 316 328".split())
NOT_VACCINES = set("307 332 36 79".split())  # immune globulins and antibodies


def is_named(text, names):
    return text.strip().lower() in names


def younger_than(chart, years):
    birth = chart.day("birth_date")
    return None if birth is None else chart.today < birthday(birth, years)


# ---- pregnancy, lactation, contraception


def pregnancy_test(chart):
    """positive (however old), or the newest other answer within the site's limit, or None."""
    found = chart.newest_within(
        "pregnancy_test", chart.site("pregnancy_test_max_age_days"), never_stale="positive"
    )
    return None if found is None else found["value"]


def could_be_pregnant(chart):
    """False where pregnancy does not apply: recorded as impossible, or a man and nothing against it."""
    potential = chart.value("pregnancy_potential")
    if potential is None and chart.value("sex") == "male":
        return chart.value("pregnant") == "yes" or pregnancy_test(chart) == "positive"
    return potential != "no"


def is_pregnant(chart):
    test = pregnancy_test(chart)
    if test == "positive" or chart.value("pregnant") == "yes":
        return True
    if chart.contradicts_itself("pregnancy_test"):
        return None
    if test == "negative" or chart.value("pregnant") == "no":
        return False
    return None


def pregnancy(chart, severity, test_needed):
    """The severity where pregnant or unknown; a warning where a needed test is missing."""
    if not could_be_pregnant(chart):
        return PASS
    if is_pregnant(chart) is not False:
        return severity
    return WARN if test_needed and pregnancy_test(chart) != "negative" else PASS


def lactation(chart):
    # ineb.lact, iba.lact, ino.lact
    breastfeeding = chart.value("breastfeeding")
    if breastfeeding is None and chart.value("sex") == "male":
        return PASS
    return PASS if breastfeeding == "no" else WARN


def contraception(chart, partner_counts):
    """Asked for where the patient, or (if it counts) a man's partner, could become pregnant."""
    asked_for = could_be_pregnant(chart)
    if partner_counts and chart.value("sex") in ("male", None):
        asked_for = asked_for or chart.value("partner_pregnancy_potential") != "no"
    if not asked_for or chart.value("contraception") == "effective":
        return PASS
    return WARN


# ---- earlier reactions


def infusion_reaction(chart, drug, severe):
    """Life-threatening of any type blocks; unknown severity may be that; mild and moderate warn."""
    reactions = chart.value("reactions")
    if reactions is None:
        return BLOCK
    found = []
    for reaction in reactions:
        if not is_named(reaction["substance"], NAMES[drug]):
            continue
        severity, kind = known(reaction.get("severity")), known(reaction.get("type"))
        if severity in (None, "life_threatening"):
            found.append(BLOCK)
        elif kind in (None, "infusion_reaction"):
            found.append(severe if severity == "severe" else WARN)
    return worst(found)


def hypersensitivity(chart, drug, severity, kinds=("hypersensitivity", "anaphylaxis")):
    """To the drug or an excipient, however mild; a reaction of unknown type may be one."""
    reactions = chart.value("reactions")
    if reactions is None:
        return severity
    for reaction in reactions:
        kind = known(reaction.get("type"))
        if is_named(reaction["substance"], NAMES[drug] | EXCIPIENTS[drug]) and kind in (None, *kinds):
            return severity
    return PASS


# ---- infection


def infection(chart, localised):
    """Serious or suspected blocks, unknown blocks, resolved warns, a contradicted "none" warns."""
    # site.infection.suspected, site.infection.resolved, site.infection.contradiction
    found = chart.value("active_infection")
    if found == "none":
        return WARN if signs_of_infection(chart) is True else PASS
    if found == "resolved":
        return WARN
    return localised if found == "localised" else BLOCK


def signs_of_infection(chart):
    signs, drugs = chart.value("infection_signs"), chart.value("anti_infectives")
    temperature = chart.newest("temperature")
    return any_of(
        None if signs is None else bool(signs),
        None if drugs is None else any(d.get("purpose") == "treatment" for d in drugs),
        None if temperature is None else temperature["value"] >= Decimal("38.0"),
    )


# ---- vaccines


def kind_of(vaccine):
    """live, non_live, unspecified, or not_a_vaccine."""
    code = vaccine.get("cvx")
    if code is None:
        return vaccine["kind"]
    kinds = {
        "live": LIVE_CODES,
        "non_live": NON_LIVE_CODES,
        "unspecified": UNSPECIFIED_CODES,
        "not_a_vaccine": NOT_VACCINES,
    }
    for kind, codes in kinds.items():
        if code in codes:
            return kind
    raise ValueError(f"no CVX code known here: {code}")


def vaccination(chart, window, before_first):
    """Live, non-live and unspecified vaccines, given and planned.

    Before the first dose: what `before_first` says for a vaccine inside the window of days.
    From the first dose on: a live vaccine given since then, or planned, warns.
    An unspecified one may be live: it warns as the site's policy says. An unknown date warns.
    """
    vaccines = chart.value("vaccinations")
    if vaccines is None:
        return WARN
    return worst(one_vaccine(chart, v, window, before_first) for v in vaccines)


def one_vaccine(chart, vaccine, window, before_first):
    kind, on = kind_of(vaccine), day_of(known(vaccine.get("on")))
    if kind == "not_a_vaccine":
        return PASS
    caution = {"live": WARN, "non_live": PASS}.get(kind) or chart.site("unspecified_vaccine")
    if vaccine.get("status") == "planned":
        return caution
    if chart.dose_is_first():
        status = before_first[kind]
        if on is None:
            return PASS if status == PASS else WARN
        return status if (chart.today - on).days < window else PASS
    first_dose = chart.day("first_dose_on")
    if on is None or first_dose is None or on >= first_dose:
        return caution
    return PASS


# ---- premedication


def minutes_before(chart, drug_given):
    """Whole and part minutes between the premedication and the infusion, or None."""
    when = chart.when(known(drug_given.get("at")))
    if when is None or not when[1]:
        return None
    return (chart.infusion_at - when[2]) / timedelta(minutes=1)


def premedication_class(chart, wanted, window, missing):
    """The best entry of one class: given in its window passes, not charted is `missing`."""
    answers = [missing]
    for entry in chart.value("premedications") or []:
        if entry["class"] != wanted:
            continue
        if known(entry.get("status")) in ("ordered", "waived"):
            answers.append(WARN)
            continue
        when = chart.when(known(entry.get("at")))
        if when is not None and chart.is_after_infusion(when):
            continue
        minutes = minutes_before(chart, entry)
        if minutes is None:
            answers.append(WARN)
        elif window is None or window[0] <= minutes <= window[1]:
            answers.append(PASS)
        else:
            answers.append(WARN)
    return min(answers, key=[PASS, WARN, BLOCK].index)
