"""Patients with nothing against their infusion: the ground that random patients start from."""

from datetime import date, datetime, timedelta, timezone

OFFSETS = (-8, -7, -5, -4, 0, 1, 2, 5.5, 9)
AWKWARD_DAYS = (  # ends of months, leap days, changes of year
    "2026-02-28",
    "2026-03-01",
    "2026-08-31",
    "2026-10-31",
    "2026-12-31",
    "2027-01-01",
    "2027-02-28",
    "2027-03-01",
    "2028-02-28",
    "2028-02-29",
    "2028-03-01",
    "2028-08-29",
    "2028-08-31",
)


class Draft:
    """A request in the making, and the arithmetic of days and minutes before its infusion."""

    def __init__(self, rng, drug):
        self.rng, self.drug = rng, drug
        if rng.random() < 0.25:
            day = date.fromisoformat(rng.choice(AWKWARD_DAYS))
        else:
            day = date(2026, 6, 1) + timedelta(days=rng.randrange(900))
        zone = timezone(timedelta(hours=rng.choice(OFFSETS)))
        hour, minute = (0, 20) if rng.random() < 0.04 else (rng.randint(7, 16), 15 * rng.randint(0, 3))
        self.at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        self.today = day
        self.region = rng.choice(("US", "EU"))
        self.facts = {}

    def day(self, ago):
        """The calendar date so many days before the infusion."""
        return (self.today - timedelta(days=ago)).isoformat()

    def minute(self, ago):
        """The moment so many minutes before the infusion."""
        return (self.at - timedelta(minutes=ago)).isoformat()

    def result(self, value, ago, **more):
        return {"value": value, "at": self.day(ago), **more}

    def months_ago(self, months):
        """The date so many months before the infusion, the day cut to 28 where a month is short."""
        month = self.today.year * 12 + self.today.month - 1 - months
        return date(month // 12, month % 12 + 1, min(self.today.day, 28)).isoformat()

    def ago(self, name):
        """How many days ago a recorded date is, or None."""
        text = self.facts.get(name)
        return (
            (self.today - date.fromisoformat(text)).days if isinstance(text, str) and text[0] == "2" else None
        )

    def request(self):
        facts = {name: self.facts[name] for name in sorted(self.facts)}
        return {
            "drug": self.drug,
            "region": self.region,
            "infusion_at": self.at.isoformat(),
            "patient": {"id": f"RND-{self.rng.randrange(10**6):06d}"},
            "facts": facts,
        }


def clear_draft(rng, drug):
    draft = Draft(rng, drug)
    draft.facts["birth_date"] = date(
        rng.randint(1940, 2000), rng.randint(1, 12), rng.randint(1, 28)
    ).isoformat()
    draft.facts.update(sex_and_pregnancy(draft))
    draft.facts.update(active_infection="none", infection_signs=[], anti_infectives=[], reactions=[])
    draft.facts["temperature"] = {"value": 36.8, "unit": "Cel", "at": draft.minute(50)}
    draft.facts["route"] = "iv_infusion"
    draft.facts["premedications"] = [
        {"class": "corticosteroid", "drug": "methylprednisolone", "at": draft.minute(30)},
        {"class": "antihistamine", "drug": "diphenhydramine", "at": draft.minute(45)},
        {"class": "antipyretic", "drug": "paracetamol", "at": draft.minute(45)},
    ]
    {"inebilizumab": inebilizumab, "ibalizumab": ibalizumab, "inotuzumab_ozogamicin": inotuzumab}[drug](draft)
    return draft


def sex_and_pregnancy(draft):
    kind = draft.rng.choice(("can", "can", "cannot", "male", "male"))
    if kind == "male":
        return {
            "sex": "male",
            "pregnancy_potential": "no",
            "pregnant": "no",
            "breastfeeding": "no",
            "contraception": "effective",
            "partner_pregnancy_potential": draft.rng.choice(("yes", "no")),
        }
    return {
        "sex": "female",
        "pregnancy_potential": "yes" if kind == "can" else "no",
        "pregnant": "no",
        "pregnancy_test": draft.result("negative", draft.rng.randint(0, 5)),
        "breastfeeding": "no",
        "contraception": "effective" if kind == "can" else "not_applicable",
        "partner_pregnancy_potential": "no",
    }


def inebilizumab(draft):
    rng, facts = draft.rng, draft.facts
    number = rng.choice((1, 1, 2, 3, 4, 7))
    facts.update(dose_number=number, scheduled_on=draft.day(0), infusion_minutes=90)
    facts["ordered_dose"] = {"value": 300, "unit": "mg"}
    if number == 2:
        facts.update(first_dose_on=draft.day(14), last_dose_on=draft.day(14))
    elif number == 3:
        first = draft.months_ago(6)
        facts.update(first_dose_on=first)
        facts.update(last_dose_on=draft.day(draft.ago("first_dose_on") - 14))
    elif number > 3:
        facts.update(first_dose_on=draft.months_ago(6 * (number - 2)), last_dose_on=draft.months_ago(6))
    screened = (draft.ago("first_dose_on") or 0) + rng.randint(5, 60)
    for name in ("hbsag", "anti_hbc_total", "anti_hbs", "hbv_dna", "hcv_rna"):
        facts[name] = draft.result("negative", screened)
    facts["tb_test"] = draft.result(rng.choice(("negative", "negative", "positive")), screened)
    facts["latent_tb_treatment"] = "completed" if facts["tb_test"]["value"] == "positive" else "not_needed"
    facts["indication"] = "nmosd" if draft.region == "EU" else rng.choice(("nmosd", "igg4_rd", "gmg"))
    for name, needed in (("aqp4_igg", "nmosd"), (rng.choice(("achr_ab", "musk_ab")), "gmg")):
        facts[name] = draft.result("positive" if facts["indication"] == needed else "negative", screened)
    for name in (
        "hepatology_clearance",
        "infectious_disease_clearance",
        "immunology_clearance",
        "tb_active",
        "tb_risk_factors",
        "pml_history",
        "pml_signs",
        "active_malignancy",
    ):
        facts[name] = "no"
    facts.update(immune_globulin_on="never", immunodeficiency="none", immunosuppressants=[])
    facts["vaccinations"] = [] if rng.random() < 0.6 else [{"cvx": "187", "on": draft.day(screened + 30)}]
    facts["igg"] = draft.result(8.8, rng.randint(1, 60), unit="g/L", ref_low=6.5)
    facts["anc"] = draft.result(4.1, 1, unit="10*9/L")
    facts["platelets"] = draft.result(231, 1, unit="10*9/L")


def ibalizumab(draft):
    rng, facts = draft.rng, draft.facts
    facts["indication"] = "mdr_hiv1"
    facts["antiretrovirals"] = [{"drug": "dolutegravir"}, {"drug": "darunavir/ritonavir"}]
    number, late = rng.choice((1, 2, 9, 9, 40)), rng.choice((0, 0, -1, 1, 2, 3, 7))
    facts["dose_number"] = number
    facts["scheduled_on"] = draft.day(late if number > 1 else 0)
    loading = number == 1 or late >= 3
    facts["ordered_dose"] = {"value": 2000 if loading else 800, "unit": "mg"}
    facts["infusion_minutes"] = 30 if loading else 15
    if number > 1:
        facts["last_dose_on"] = draft.day(14 + late)
        facts["first_dose_on"] = draft.day(14 * (number - 1) + late)


HEIGHTS_AND_WEIGHTS = ((162, 50), (150, 54), (160, 90), (180, 80), (172.5, 71.3), (165, 60))


def surface_of(height, weight):
    return (height * weight / 3600) ** 0.5


def inotuzumab(draft):
    rng, facts = draft.rng, draft.facts
    cycle, day = rng.choice(
        ((1, 1), (1, 1), (1, 8), (1, 15), (2, 1), (2, 1), (2, 8), (3, 1), (5, 1), (6, 15))
    )
    number = 3 * (cycle - 1) + (1, 8, 15).index(day) + 1
    if cycle == 1:
        remission = "not_achieved"
    else:
        remission = rng.choice(("cr", "cri", "not_achieved") if cycle < 4 else ("cr", "cri"))
    facts.update(cycle=cycle, cycle_day=day, dose_number=number, remission=remission)
    facts.update(scheduled_on=draft.day(0), infusion_minutes=60, indication="bcp_all")
    if number > 1:
        facts.update(last_dose_on=draft.day(rng.choice((7, 14)) if day == 1 else 7))
        facts.update(first_dose_on=draft.day(28 * (cycle - 1) + day - 1))
    height, weight = rng.choice(HEIGHTS_AND_WEIGHTS)
    level = 0.8 if day == 1 and remission == "not_achieved" else 0.5
    facts["height"] = draft.result(height, 3, unit="cm")
    facts["weight"] = [draft.result(weight, 9, unit="kg"), draft.result(weight, 2, unit="kg")]
    facts["ordered_dose"] = {"value": round(level * surface_of(height, weight), 2), "unit": "mg"}
    facts["cd22"] = draft.result("positive", 40)
    for name, value in (("alt", 28), ("ast", 31)):
        facts[name] = draft.result(value, 1, unit="U/L", ref_high=40)
    facts["bilirubin_total"] = draft.result(0.6, 1, unit="mg/dL", ref_high=1.0)
    for name, now, then in (("anc", 2.4, 2.9), ("platelets", 142, 160)):
        facts[name] = draft.result(now, 1, unit="10*9/L")
        facts["baseline_" + name] = draft.result(then, 200, unit="10*9/L")
    for name in (
        "hsct_planned",
        "hsct_history",
        "gilbert_or_haemolysis",
        "counts_low_due_to_disease",
        "qt_risk",
    ):
        facts[name] = "no"
    facts.update(platelet_transfusion_on="never", vod_history="none", liver_disease="none", vaccinations=[])
    facts.update(nonhaematologic_toxicity_grade=rng.choice((0, 0, 1)), qt_prolonging_drugs=[])
    facts.update(ecg_on=draft.day(2), electrolytes_on=draft.day(1), last_reduced_dose="never")
    facts["qtc"] = draft.result(412, 2, unit="ms")
    facts["peripheral_blasts"] = draft.result(300, 1, unit="/uL")
    facts["anti_infectives"] = [{"drug": "aciclovir", "purpose": "prophylaxis"}]
