"""What a fact may be: the allowed words, and numbers at, just under and just over what matters."""

YES_NO = ("yes", "no")
TEST = ("positive", "negative", "indeterminate")

CHOICES = {
    "sex": ("female", "male", "intersex"),
    "contraception": ("effective", "none", "not_applicable"),
    "indication": ("nmosd", "igg4_rd", "gmg", "mdr_hiv1", "bcp_all", "other"),
    "latent_tb_treatment": ("not_needed", "not_started", "in_progress", "completed"),
    "active_infection": ("none", "suspected", "localised", "serious", "resolved"),
    "immunodeficiency": ("none", "mild", "severe"),
    "dose_number": (1, 2, 3, 4, 5),
    "route": ("iv_infusion", "iv_push", "sc"),
    "infusion_minutes": (5, 14, 15, 29, 30, 59, 60, 61, 90),
    "cycle": (1, 2, 3, 4, 6, 7),
    "cycle_day": (1, 8, 15),
    "remission": ("cr", "cri", "not_achieved"),
    "nonhaematologic_toxicity_grade": (0, 1, 2, 3, 4),
    "vod_history": ("none", "prior_mild", "prior_severe", "ongoing"),
    "liver_disease": ("none", "cirrhosis", "nodular_regenerative_hyperplasia", "active_hepatitis", "other"),
}
for _name in (
    "pregnancy_potential",
    "pregnant",
    "breastfeeding",
    "partner_pregnancy_potential",
    "hepatology_clearance",
    "infectious_disease_clearance",
    "immunology_clearance",
    "tb_active",
    "tb_risk_factors",
    "pml_history",
    "pml_signs",
    "active_malignancy",
    "hsct_planned",
    "hsct_history",
    "gilbert_or_haemolysis",
    "counts_low_due_to_disease",
    "qt_risk",
):
    CHOICES[_name] = YES_NO

WORD_RESULTS = (
    "pregnancy_test",
    "aqp4_igg",
    "achr_ab",
    "musk_ab",
    "cd22",
    "hbsag",
    "anti_hbc_total",
    "anti_hbs",
    "hbv_dna",
    "hcv_rna",
    "tb_test",
)

NUMBERS = {  # (unit, values at, just under and just over what matters, more keys)
    "igg": [
        ("g/L", (6.49, 6.5, 6.51, 4), {"ref_low": 6.5}),
        ("mg/dL", (699, 700, 701), {"ref_low": 700}),
        ("g/L", (3, 8.8), {}),
    ],
    "alt": [("U/L", (99, 100, 101, 40), {"ref_high": 40}), ("U/L", (30, 200), {})],
    "ast": [("U/L", (87.4, 87.5, 87.6), {"ref_high": 35}), ("U/L", (30,), {"ref_high": None})],
    "bilirubin_total": [
        ("mg/dL", (1.49, 1.5, 1.51, 1.0, 1.01, 3), {"ref_high": 1.0}),
        ("mg/dL", (1.79, 1.8, 1.81), {"ref_high": 1.2}),
        ("mg/dL", (0.5, 2), {}),
        ("umol/L", (25.4, 25.5, 25.6, 17, 17.1), {"ref_high": 17}),
    ],
    "anc": [
        ("10*9/L", (0.2, 0.99, 1, 1.0, 1.01), {}),
        ("/uL", (999, 1000, 1001), {}),
        ("10*9/L", (1.79, 1.8, 1.81), {"ref_low": 1.8}),
    ],
    "platelets": [("10*9/L", (25, 49.9, 50, 50.1), {}), ("/uL", (49999, 50000, 50001), {})],
    "baseline_anc": [("10*9/L", (0.5, 0.99, 1.0, 1.01, 2.4), {}), ("/uL", (900, 1000), {})],
    "baseline_platelets": [("10*9/L", (30, 49.9, 50, 50.1, 142), {}), ("/uL", (49999, 50000), {})],
    "peripheral_blasts": [("/uL", (9999, 10000, 10001, 25000), {})],
    "temperature": [("Cel", (36.5, 37.9, 38.0, 38.1, 39), {}), ("[degF]", (98.6, 100.3, 100.4, 100.5), {})],
    "qtc": [("ms", (400, 480, 520), {})],
    "height": [("[in_i]", (63, 66.5), {}), ("m", (1.62, 1.8), {}), ("cm", (150, 162), {})],
}

RESULTS = {*WORD_RESULTS, *NUMBERS, "weight"}

LIMITS = {
    "hbsag": 365,
    "anti_hbc_total": 365,
    "tb_test": 365,
    "igg": 90,
    "pregnancy_test": 7,
    "alt": 3,
    "ast": 3,
    "bilirubin_total": 3,
    "platelets": 3,
    "peripheral_blasts": 3,
}
