"""Inotuzumab ozogamicin: the weight, the dose calculated from it, and the days between doses."""

from decimal import Decimal

from .facts import BLOCK, PASS, WARN, newest, one_before, word, worst


def counted_weights(chart):
    """A weight has an age limit, so it needs a time; an old one still calculates."""
    return [w for w in chart.results("weight") if w["when"]]


def two_weights(chart):
    """The newest counted weight and the one before, each None where there is none."""
    weights = counted_weights(chart)
    latest = newest(weights)
    return latest, latest and one_before(weights, latest)


def weight_rose(chart, percent):
    latest, before = two_weights(chart)
    if latest is None or before is None:
        return None
    return latest["value"] > before["value"] * (1 + percent / 100)


def weight_fell(chart, percent):
    latest, before = two_weights(chart)
    if latest is None or before is None:
        return None
    return latest["value"] < before["value"] * (1 - percent / 100)


def weight_to_check_again(chart):
    # ino.dose.bsa: older than the site allows, or changed by more than 10 %
    latest = newest(counted_weights(chart))
    if latest is None:
        return None
    old = (chart.today - latest["when"][0]).days > chart.site("weight_max_age_days")
    # With no weight before there is no change to speak of.
    return old or bool(weight_rose(chart, Decimal(10))) or bool(weight_fell(chart, Decimal(10)))


def body_surface(chart):
    """Square metres, by the site's formula."""
    weight, height = word(newest(counted_weights(chart))), word(chart.newest("height"))
    if weight is None or height is None:
        return None
    if chart.site("bsa_formula") == "dubois":
        return Decimal("0.007184") * weight ** Decimal("0.425") * height ** Decimal("0.725")
    return (weight * height / 3600).sqrt()


def ordered_and_surface(chart):
    """The ordered dose, and the surface that a dose in mg/m2 is multiplied by to compare with it."""
    by_surface = chart.dose_in("mg/m2", "ordered_dose")
    if by_surface is not None:
        return by_surface, Decimal(1)
    return chart.dose_in("mg", "ordered_dose"), body_surface(chart)


def levels(chart):
    """The protocol's dose in mg/m2: one, or two where the remission would decide."""
    # ino.dose.c1, ino.dose.cr, ino.dose.nocr
    high, low = Decimal("0.8"), Decimal("0.5")
    remission = chart.value("remission")
    if chart.value("cycle_day") != 1:
        return [low]
    if chart.value("cycle") == 1 or remission == "not_achieved":
        return [high]
    return [high, low] if remission is None else [low]


def amount(chart):
    """The ordered dose against the calculated one, within the site's tolerance."""
    # ino.dose.c1, ino.dose.cr, ino.dose.nocr, ino.dose.bsa (no weight or height)
    ordered, surface = ordered_and_surface(chart)
    if ordered is None or surface is None:
        return BLOCK
    if len(levels(chart)) > 1:
        return BLOCK  # ino.dose.cr: the response is not known
    share = Decimal(str(chart.site("dose_tolerance_percent"))) / 100
    found = [PASS]
    for level in levels(chart):
        if ordered > level * surface * (1 + share):
            found.append(BLOCK)
        elif ordered < level * surface * (1 - share):
            found.append(WARN)
    return worst(found)


def escalation(chart):
    # ino.noreescalate: the last reduced level is a calculated dose too, with the same tolerance
    if chart.value("last_reduced_dose") == "never":
        return PASS
    reduced = chart.dose_in("mg/m2", "last_reduced_dose")
    if reduced is None:
        return PASS if chart.dose_is_first() else WARN
    ordered, surface = ordered_and_surface(chart)
    if ordered is None or surface is None:
        return BLOCK
    if len(levels(chart)) > 1:
        return BLOCK  # ino.dose.cr: the response is not known
    share = Decimal(str(chart.site("dose_tolerance_percent"))) / 100
    return BLOCK if ordered > reduced * surface * (1 + share) else PASS


def cycles(chart):
    # ino.dose.nocr, ino.dose.maxcycles
    cycle, found = chart.value("cycle"), [PASS]
    if "cycle" in chart.assumed:
        found.append(WARN)
    if cycle > 6 or (cycle >= 4 and chart.value("remission") not in ("cr", "cri")):
        found.append(BLOCK)
    if cycle >= 3 and chart.value("hsct_planned") != "no":
        found.append(WARN)
    return worst(found)


def dose(chart):
    weight = PASS if weight_to_check_again(chart) is False else WARN
    return worst([amount(chart), escalation(chart), cycles(chart), weight])


def schedule(chart):
    # ino.interrupt.lt7, ino.dose.window, ino.interrupt.7/.14/.28, site.reinitiation
    found = [PASS]
    first, gap = chart.dose_is_first(), chart.days_since("last_dose_on")
    if gap is None:
        found.append(PASS if first else BLOCK)
    elif gap < 6:
        found.append(BLOCK)
    elif not first and gap > chart.site("reinitiation_gap_days"):
        found.append(WARN)
    shift = chart.days_since("scheduled_on")
    if chart.value("cycle_day") != 1:
        if shift is None and gap is not None:
            shift = gap - 7
        found.append(WARN if shift is None or abs(shift) > 2 else PASS)
    elif not first:
        found.append(WARN if shift is None or shift >= 14 else PASS)
    return worst(found)
