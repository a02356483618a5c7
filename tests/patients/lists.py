"""Changes to the lists of a record: reactions, vaccines, premedication, other drugs, signs."""

NAMED = {
    "inebilizumab": ("inebilizumab", "UPLIZNA", "Inebilizumab-cdon"),
    "ibalizumab": ("ibalizumab", "TROGARZO", "Ibalizumab-UIYK"),
    "inotuzumab_ozogamicin": ("inotuzumab_ozogamicin", "BESPONSA", "Inotuzumab Ozogamicin"),
}
EXCIPIENTS = {
    "inebilizumab": ("polysorbate 80", "Trehalose", "histidine"),
    "ibalizumab": ("polysorbate 80", "Sucrose", "L-histidine"),
    "inotuzumab_ozogamicin": ("polysorbate 80", "SUCROSE", "trometamol"),
}
UNRELATED = ("penicillin", "rituximab", "latex")
SEVERITIES = ("mild", "moderate", "severe", "life_threatening", None)
TYPES = ("infusion_reaction", "hypersensitivity", "anaphylaxis", None)


def filled(rng, entry):
    """The entry, where what has no value is left out or, sometimes, said to be null."""
    return {key: value for key, value in entry.items() if value is not None or rng.random() < 0.3}


def reactions(draft):
    rng = draft.rng
    pool = rng.choice((NAMED[draft.drug], NAMED[draft.drug], EXCIPIENTS[draft.drug], UNRELATED))
    draft.facts["reactions"] = [
        filled(
            rng,
            {
                "substance": rng.choice(pool),
                "severity": rng.choice(SEVERITIES),
                "type": rng.choice(TYPES),
                "on": rng.choice((None, draft.day(rng.randint(1, 900)))),
            },
        )
        for _ in range(rng.choice((1, 1, 1, 2)))
    ]


VACCINES = (
    {"cvx": "03"},
    {"cvx": "21"},
    {"cvx": "121"},
    {"cvx": "37"},
    {"kind": "live"},
    {"cvx": "187"},
    {"cvx": "150"},
    {"cvx": "33"},
    {"kind": "non_live"},
    {"cvx": "158", "kind": "non_live"},
    {"cvx": "188"},
    {"cvx": "151"},
    {"kind": "unspecified"},
    {"cvx": "36"},
    {"cvx": "79"},
    {"cvx": "206"},
)


def vaccinations(draft):
    rng, first = draft.rng, draft.ago("first_dose_on") or 0
    found = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        near = rng.choice((0, 1, 13, 14, 15, 27, 28, 29, 200))
        ago = rng.choice((near, near, first + near, max(0, first - rng.choice((0, 1)))))
        entry = {**rng.choice(VACCINES), "on": draft.day(ago), "status": rng.choice((None, None, "given"))}
        way = rng.random()
        if way < 0.15:
            entry["on"] = None
        elif way < 0.35:
            entry.update(status="planned", on=rng.choice((None, draft.day(-10), draft.day(-60))))
        found.append(filled(rng, entry))
    draft.facts["vaccinations"] = found


def charted(draft):
    """Copies of the premedications, none where the list is unknown or wrapped by now."""
    entries = draft.facts.get("premedications")
    return [dict(entry) for entry in entries] if isinstance(entries, list) else []


def premedication_times(draft):
    """One class at the ends of its window and of the tolerance around it."""
    rng = draft.rng
    entries = charted(draft)
    if not entries:
        return
    entry = rng.choice(entries)
    entry["at"] = draft.minute(rng.choice((-10, 0, 14, 15, 16, 30, 44, 45, 46, 60, 74, 75, 76, 300)))
    draft.facts["premedications"] = entries


def premedication_standing(draft):
    """One class not given, ordered, waived, of unknown time, or charted twice."""
    rng = draft.rng
    entries = charted(draft)
    if not entries:
        return
    entry = rng.choice(entries)
    way = rng.choice(("dropped", "dropped", "ordered", "waived", "no time", "twice", "none"))
    if way == "dropped":
        entries.remove(entry)
    elif way in ("ordered", "waived"):
        entry["status"] = way
        if rng.random() < 0.6:
            entry.pop("at", None)
    elif way == "no time":
        entry.pop("at", None)
    elif way == "twice":
        again = {**entry, "status": rng.choice(("given", "ordered", "waived"))}
        again["at"] = draft.minute(rng.choice((-5, 5, 40, 200)))
        entries.append(again)
    draft.facts["premedications"] = [] if way == "none" else rng.sample(entries, len(entries))


def infection_facts(draft):
    rng = draft.rng
    draft.facts["active_infection"] = rng.choice(("none", "none", "none", "resolved", "localised", None))
    draft.facts["infection_signs"] = rng.choice(([], ["cough"], ["fever", "new_line"], ["contact"], None))
    draft.facts["anti_infectives"] = rng.choice(
        (
            [],
            [{"drug": "nitrofurantoin", "purpose": "treatment"}],
            [
                {"drug": "aciclovir", "purpose": "prophylaxis"},
                {"drug": "amoxicillin", "purpose": "treatment"},
            ],
            [{"drug": "co-trimoxazole", "purpose": "prophylaxis"}],
        )
    )


def immunosuppressants(draft):
    draft.facts["immunosuppressants"] = draft.rng.choice(
        (
            [],
            [{"drug": "azathioprine"}],
            [{"drug": "prednisone", "use": "chronic"}],
            [{"drug": "methylprednisolone", "use": "premedication"}],
            [
                {"drug": "methylprednisolone", "use": "premedication"},
                {"drug": "mycophenolate", "use": "chronic"},
            ],
        )
    )


def antiretrovirals(draft):
    draft.facts["antiretrovirals"] = draft.rng.choice(
        (
            [],
            [{"drug": "ibalizumab"}],
            [{"drug": "TROGARZO"}, {"drug": "lenacapavir"}],
            [{"drug": "dolutegravir"}],
        )
    )


def qt_drugs(draft):
    draft.facts["qt_prolonging_drugs"] = draft.rng.choice(([], [{"drug": "ondansetron"}]))


LIST_CHANGES = [
    ("reactions", reactions),
    ("reactions", reactions),
    ("vaccinations", vaccinations),
    ("vaccinations", vaccinations),
    ("premedications", premedication_times),
    ("premedications", premedication_times),
    ("premedications", premedication_standing),
    ("premedications", premedication_standing),
    ("infection_signs", infection_facts),
    ("immunosuppressants", immunosuppressants),
    ("antiretrovirals", antiretrovirals),
    ("qt_prolonging_drugs", qt_drugs),
]
