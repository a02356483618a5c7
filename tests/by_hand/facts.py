"""Reading a patient's facts: what is recorded, what counts, and how it is compared.

Everything here answers with a known value or with None, and None always means "unknown".
Yes, no and unknown are True, False and None. Quantities are exact decimals in one unit.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

PASS, WARN, BLOCK = "pass", "warn", "block"

COUNTING_STATUSES = {None, "final", "corrected", "amended"}

UNITS = {  # to the first unit of each line
    "height": {"cm": Decimal(1), "m": Decimal(100), "[in_i]": Decimal("2.54")},
    "weight": {"kg": Decimal(1), "g": Decimal("0.001"), "[lb_av]": Decimal("0.45359237")},
    "igg": {"g/L": Decimal(1), "mg/dL": Decimal("0.01")},
    "alt": {"U/L": Decimal(1)},
    "ast": {"U/L": Decimal(1)},
    "bilirubin_total": {"mg/dL": Decimal(1), "umol/L": Decimal("0.058466")},
    "anc": {"10*9/L": Decimal(1), "/uL": Decimal("0.001")},
    "platelets": {"10*9/L": Decimal(1), "/uL": Decimal("0.001")},
    "baseline_anc": {"10*9/L": Decimal(1), "/uL": Decimal("0.001")},
    "baseline_platelets": {"10*9/L": Decimal(1), "/uL": Decimal("0.001")},
    "peripheral_blasts": {"/uL": Decimal(1)},
}


class PolicyNotSet(Exception):
    """A rule needs a site parameter that nobody has set: the check blocks."""


def worst(statuses):
    return max(statuses, key=[PASS, WARN, BLOCK].index, default=PASS)


def all_of(*answers):
    """One False decides; otherwise one unknown leaves it unknown."""
    if False in answers:
        return False
    return None if None in answers else True


def any_of(*answers):
    """One True decides; otherwise one unknown leaves it unknown."""
    if True in answers:
        return True
    return None if None in answers else False


def opposite(answer):
    return None if answer is None else not answer


def known(value):
    return None if value is None or value == "unknown" else value


def day_of(text):
    return None if text is None else date.fromisoformat(text)


def months_later(day, months):
    """The same day of a later month, or the last day of that month where it is shorter."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = date(year + (month0 == 11), (month0 + 1) % 12 + 1, 1)
    return date(year, month0 + 1, min(day.day, (first_of_next - timedelta(days=1)).day))


def birthday(birth, years):
    """The day of the given birthday; 29 February counts as 1 March in other years."""
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


class Chart:
    """One request: facts, the moment of the infusion, the region and the site's policy.

    `assumed` are facts put in place of unknown ones, to try what the answer would be.
    """

    def __init__(self, request, policy, assumed=None):
        self.assumed = assumed or {}
        self.facts = {**request["facts"], **self.assumed}
        self.infusion_at = datetime.fromisoformat(request["infusion_at"])
        self.today = self.infusion_at.date()
        self.policy = policy
        self.requested_region = request.get("region")

    def site(self, parameter):
        if self.policy.get(parameter) is None:
            raise PolicyNotSet(parameter)
        return self.policy[parameter]

    @property
    def region(self):
        return self.requested_region or self.site("region")

    # ---- facts that are not results

    def value(self, name):
        """A bare value, or the value inside an object that counts."""
        fact = self.facts.get(name)
        if isinstance(fact, dict):
            counts = self._counts(fact)
            fact = fact.get("value") if counts else None
        return known(fact)

    def says(self, name, wanted):
        """Is this fact recorded as the wanted value? Unknown where it is not recorded."""
        found = self.value(name)
        return None if found is None else found == wanted

    def day(self, name):
        return day_of(self.value(name))

    def days_since(self, name):
        day = self.day(name)
        return None if day is None else (self.today - day).days

    def dose_in(self, unit, name):
        """The dose in this unit (mg, or mg/m2); None where unknown, "never", or in the other one."""
        number = self.value(name)
        if number is None or number == "never":
            return None
        number, given_in = Decimal(str(number)), self.facts[name]["unit"]
        if given_in == "g":
            number, given_in = number * 1000, "mg"
        return number if given_in == unit else None

    def dose_is_first(self):
        return self.value("dose_number") == 1

    # ---- results

    def results(self, name):
        """The results that count: each a dict of value, ref_low, ref_high and when (or None).

        Left out: not final, collected after the infusion, without a value.
        """
        fact = self.facts.get(name)
        found = []
        for row in fact if isinstance(fact, list) else [fact]:
            result = row if isinstance(row, dict) else {"value": row}
            if known(result.get("value")) is None or not self._counts(result):
                continue
            found.append(
                {
                    "value": self._number(name, result, "value"),
                    "ref_low": self._number(name, result, "ref_low"),
                    "ref_high": self._number(name, result, "ref_high"),
                    "when": self.when(result.get("at")),
                }
            )
        return found

    def newest(self, name):
        return newest(self.results(name))

    def contradicts_itself(self, name):
        return bool(self.results(name)) and self.newest(name) is None

    def newest_within(self, name, days, until=None, never_stale=None):
        """The newest result, if it is no older than this many days (counted back from `until`).

        A result that would not clear the patient (`never_stale`) has no age limit. A result
        with an age limit needs a time.
        """
        latest = self.newest(name)
        if latest is None or latest["value"] == never_stale:
            return latest
        dated = latest["when"] is not None
        fresh = dated and ((until or self.today) - latest["when"][0]).days <= days
        return latest if fresh else None

    def when(self, text):
        """(calendar date where the infusion is, has a time of day, the instant)."""
        if text is None:
            return None
        if len(text) == len("2026-10-06"):
            return (date.fromisoformat(text), False, None)
        instant = datetime.fromisoformat(text).astimezone(self.infusion_at.tzinfo)
        return (instant.date(), True, instant)

    def is_after_infusion(self, when):
        day, timed, instant = when
        return instant > self.infusion_at if timed else day > self.today

    def _counts(self, fact):
        if fact.get("status") not in COUNTING_STATUSES:
            return False
        when = self.when(fact.get("at"))
        return when is None or not self.is_after_infusion(when)

    def _number(self, name, result, key):
        """The number in the first unit of its fact; words are left as they are."""
        number = known(result.get(key))
        if number is None or isinstance(number, str):
            return number
        number = Decimal(str(number))
        if result.get("unit") == "[degF]":
            return (number - 32) * 5 / 9
        return number * UNITS[name][result["unit"]] if name in UNITS else number


def same_result(one, other):
    return all(one[key] == other[key] for key in ("value", "ref_low", "ref_high"))


def newest(results):
    """The newest result, or None: there is none, or those of the last moment differ.

    A result without a time does not count beside one that has a time; but a positive one,
    which would not clear, is not forgotten: then the two must say the same.
    """
    last = max((r["when"] for r in results if r["when"]), default=None)
    dated = last is not None
    candidates = [
        r for r in results if r["when"] == last or (dated and not r["when"] and r["value"] == "positive")
    ]
    if not candidates or not all(same_result(r, candidates[0]) for r in candidates):
        return None
    return candidates[0]


def one_before(results, latest):
    """The newest of the results that are older than the latest one."""
    return newest([r for r in results if r["when"] and latest["when"] and r["when"] < latest["when"]])


def word(result):
    return None if result is None else result["value"]
