"""Charts of one patient, and code maps of a few codes, for the tests of what is read of medicines."""

from dataclasses import replace
from datetime import datetime

from service.fhir.chart import read_chart
from service.fhir.reads import ReadingContext
from service.knowledge.code_maps import Answers, Coded, CodeMaps, Concept, Medicine, Result, Statement, folded
from tests.builders import shipped

RXNORM, ATC, NDC = (
    *("http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"),
    "http://hl7.org/fhir/sid/ndc",
)
SNOMED, LOINC, ICD = "http://snomed.info/sct", "http://loinc.org", "http://hl7.org/fhir/sid/icd-10-cm"
CVX, UCUM = "http://hl7.org/fhir/sid/cvx", "http://unitsofmeasure.org"
_SHORT = {
    RXNORM: "rxnorm",
    ATC: "atc",
    NDC: "ndc",
    SNOMED: "snomed",
    LOINC: "loinc",
    ICD: "icd10cm",
    CVX: "cvx",
}
STEROID = Medicine(
    "methylprednisolone", {"immunosuppressants": {}, "premedications": {"class": "corticosteroid"}}, ()
)
ANTIHISTAMINE = Medicine("diphenhydramine", {"premedications": {"class": "antihistamine"}}, ())
RITUXIMAB = Medicine("rituximab", {"immunosuppressants": {}}, ())
CIPROFLOXACIN = Medicine("ciprofloxacin", {"anti_infectives": {}, "qt_prolonging_drugs": {}}, ())
DOLUTEGRAVIR = Medicine("dolutegravir", {"antiretrovirals": {}}, ())
GLOBULIN = Medicine("immune globulin", {}, ("immune_globulin_on",))
IBALIZUMAB = Medicine("ibalizumab", {"antiretrovirals": {}}, ())


def _medicines():
    found = Coded()
    found.add(("rxnorm", "6902"), STEROID)
    found.add(("rxnorm", "121191"), RITUXIMAB)
    found.add(("atc", "J01MA"), CIPROFLOXACIN, children=True)
    return found


def _conditions():
    found = Coded()
    found.add(("icd10cm", "G36.0"), Statement("indication", "active", "nmosd"))
    found.add(("icd10cm", "G70.0"), Statement("indication", "active", "gmg"), children=True)
    return found


MAPS = CodeMaps(
    systems={short: uri for uri, short in _SHORT.items()},
    uris=_SHORT,
    results={("loinc", "5196-1"): Result("hbsag"), ("loinc", "5195-3"): Result("hbsag")},
    tests={
        "hbsag": Concept(LOINC, "5196-1", "Hepatitis B virus surface Ag"),
        "igg": Concept(LOINC, "2465-3", "IgG"),
        "qtc": Concept(LOINC, "8636-3", "Q-T interval corrected"),
    },
    answers={
        "route": Answers(
            {
                ("snomed", "14152002"): "iv_infusion",
                ("snomed", "34206005"): "sc",
                ("snomed", "47625008"): "intravenous",
            },
            {"iv push": "iv_push", "iv": "intravenous"},
        ),
        "reaction_kind": Answers(
            {("snomed", "39579001"): "anaphylaxis", ("snomed", "421961002"): "hypersensitivity"},
            {"infusion related reaction": "infusion_reaction"},
        ),
        "reaction_severity": Answers(
            {("snomed", "442452003"): "life_threatening"},
            {"mild": "mild", "moderate": "moderate", "life-threatening": "life_threatening"},
        ),
        "none_known": Answers({("snomed", "716186003"): "reactions"}, {"nkda": "reactions"}),
        "purpose": Answers({}, {"prophylaxis": "prophylaxis", "pneumonia": "treatment"}),
    },
    conditions=_conditions(),
    medicines=_medicines(),
    medicine_names={
        folded(each.name): (each,)
        for each in (STEROID, ANTIHISTAMINE, RITUXIMAB, CIPROFLOXACIN, DOLUTEGRAVIR, GLOBULIN, IBALIZUMAB)
    },
    drugs={
        ("rxnorm", "1942950"): "inotuzumab_ozogamicin",
        ("rxnorm", "2043317"): "ibalizumab",
        ("atc", "L04AG10"): "inebilizumab",
        ("atc", "J05AX23"): "ibalizumab",
        ("ndc", "75987-150"): "inebilizumab",
        ("ndc", "0008-0100"): "inotuzumab_ozogamicin",
    },
)
INFUSION_AT = datetime.fromisoformat("2026-12-01T09:00:00-05:00")


def library():
    """The shipped library with these few codes."""
    changed = replace(shipped())
    vars(changed)["code_maps"] = MAPS
    return changed


def chart_of(*resources, searched=None, patient=None):
    """The chart of a patient who has these resources."""
    entries = [patient or {"resourceType": "Patient", "id": "p"}, *resources]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in entries],
    }
    return read_chart(bundle, patient=None, searched=searched or {})


def context_of(drug="inebilizumab", order=None, infusion_at=INFUSION_AT):
    """What a chart is read for."""
    return ReadingContext(shipped().packs[drug], order, infusion_at, MAPS, shipped().vocabulary)


def resource(type, id="1", **content):
    """A resource of the patient."""
    whose = "patient" if type in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": type, "id": id, whose: {"reference": "Patient/p"}, **content}


def coded(system=None, code=None, display=None, text=None):
    """A CodeableConcept."""
    coding = {"system": system, "code": code, "display": display}
    concept = {"coding": [{key: each for key, each in coding.items() if each is not None}]} if system else {}
    return concept | ({"text": text} if text is not None else {})


def given_by(reads):
    """What reads give, by fact: the value of one that is no list, or its entries."""
    found = {}
    for each in reads:
        if each.given is not None:
            found.setdefault(each.line.fact, []).append(dict(each.given))
    return found


def lines_of(reads):
    """The lines of reads, in their order."""
    return [(each.line.resource, each.line.fact, each.line.says, each.line.understood) for each in reads]
