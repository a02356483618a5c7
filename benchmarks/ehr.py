"""An EHR's call: 50 resources of prefetch to cards, signed, believed, checked, recorded and answered.

A real server with two workers and eight callers at once, each a process; beside it the same with an endpoint
that reads JSON and sends it back.
"""

import argparse
import http.client
import json
import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from statistics import median, quantiles
from time import perf_counter, time

from joserfc import jwt
from joserfc.jwk import ECKey

from benchmarks.report import aim, heading, machine, note, table
from benchmarks.served import gunicorn, postgresql, serving, sqlite_file
from service.ehr.clients import EhrClients
from service.ehr.registering import NewEhrClient
from service.outbound.http import Outbound
from service.records.journal import Act
from service.records.opening import open_records

CALLERS, WORKERS, PATIENCE = 8, 2, 60
MOST_MILLISECONDS = 500
PUBLIC_URL, ISSUER = "https://dosegate.example", "https://ehr.example"
PATH, ECHO = "/cds-services/dosegate-infusion-checklist", "/echo"
LOINC, UCUM, CVX = "http://loinc.org", "http://unitsofmeasure.org", "http://hl7.org/fhir/sid/cvx"
PATIENT = {"reference": "Patient/p1"}
TODAY = datetime.now(UTC).date()


def report(effort):
    """Measure and print."""
    heading("An EHR's call: 50 resources of prefetch to cards")
    body = json.dumps(order_sign()).encode()
    note(
        f"""order-sign for inebilizumab with 50 resources ({len(body) / 1024:.0f} KB). The call is verified
        (ES384, a token that is good once), its resources are read into facts, every rule is decided, the
        checklist and its cards are recorded on disk with their journal entries, and the cards are sent.
        {WORKERS} workers and {CALLERS} callers at once on the same machine; wall-clock milliseconds of
        {effort.calls * CALLERS} calls. Echo: an endpoint of the same server that parses this body and
        sends it back."""
    )
    rows, worst = [], 0.0
    with echo_server() as port:
        plain = measured(port, ECHO, body, effort.calls)
    for kind, place in (("SQLite, synchronous FULL", sqlite_file), ("PostgreSQL, fsync on", postgresql)):
        with place() as (url, folder), service(url, folder) as (port, key):
            ours = measured(port, PATH, body, effort.calls, key)
        worst = max(worst, ours[1])
        rows.append([kind, *(f"{each:.1f}" for each in (*ours, *plain)), f"{ours[1] / plain[1]:.1f} x"])
    table(("", "p50", "p95", "echo p50", "echo p95", "p95 of echo"), rows)
    print()
    aim(f"p95 under {MOST_MILLISECONDS} ms (worst {worst:.0f} ms)", worst < MOST_MILLISECONDS)


def measured(port, path, body, calls, key=None):
    """The p50 and p95 of all calls of all callers, in milliseconds; each one's first three do not count."""
    with get_context("spawn").Pool(CALLERS) as pool:
        found = pool.starmap(call, [(port, path, body, calls, key)] * CALLERS, chunksize=1)
    seconds = [each for several in found for each in several]
    return 1000 * median(seconds), 1000 * quantiles(seconds, n=20)[18]


def call(port, path, body, calls, key):
    """The seconds that each call took; tokens are signed before the first."""
    signed = [f"Bearer {token(path, key)}" if key else "" for _ in range(calls + 3)]
    taken = []
    for authorization in signed:
        headers = {"Content-Type": "application/json", "Authorization": authorization}
        start = perf_counter()
        with closing(http.client.HTTPConnection("localhost", port, timeout=PATIENCE)) as connection:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read()
        taken.append(perf_counter() - start)
        assert response.status == 200, (response.status, answer[:300])
        assert key is None or json.loads(answer)["cards"], "no cards"
    return taken[3:]


def token(path, key):
    """A token that is good for one call."""
    now = int(time())
    claims = {"iss": ISSUER, "aud": PUBLIC_URL + path, "iat": now, "exp": now + 600, "jti": str(uuid.uuid4())}
    header = {"alg": "ES384", "typ": "JWT", "kid": key["kid"]}
    return jwt.encode(header, claims, ECKey.import_key(key), algorithms=["ES384"])


def order_sign():
    """A call for an order of inebilizumab, with 50 resources of its patient."""
    found = {
        "results": [result(number) for number in range(32)],
        "immunizations": [vaccine(number) for number in range(6)],
        "conditions": [condition(number) for number in range(5)],
        "orders": [order(f"mr{number}", f"made-up medicine {number}") for number in range(6)],
    }
    prefetch = {name: searchset(resources) for name, resources in found.items()}
    prefetch["patient"] = {"resourceType": "Patient", "id": "p1", "birthDate": "1984-03-02"}
    assert 1 + sum(map(len, found.values())) == 50
    draft = searchset([order("draft", "inebilizumab-cdon 10 mg/mL injection")])
    context = {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": draft}
    instance = str(uuid.uuid4())
    return {"hook": "order-sign", "hookInstance": instance, "context": context, "prefetch": prefetch}


def searchset(resources):
    """Resources as a search answers with them."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": each} for each in resources],
    }


def result(number):
    """A laboratory result, one of five sorts."""
    code, value, unit = (
        ("5196-1", None, None),
        ("13952-7", None, None),
        ("2465-3", 9.5, "g/L"),
        ("26499-4", 3.1, "10*9/L"),
        ("8310-5", 36.6, "Cel"),
    )[number % 5]
    negative = {"coding": [{"system": "http://snomed.info/sct", "code": "260385009", "display": "Negative"}]}
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "subject": PATIENT,
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": str(TODAY - timedelta(days=1 + 7 * number)),
        **({"valueQuantity": quantity} if unit else {"valueCodeableConcept": negative}),
    }


def vaccine(number):
    """A vaccine that was given."""
    return {
        "resourceType": "Immunization",
        "id": f"i{number}",
        "status": "completed",
        "patient": PATIENT,
        "vaccineCode": {"coding": [{"system": CVX, "code": "187"}]},
        "occurrenceDateTime": str(TODAY - timedelta(days=90 * (1 + number))),
    }


def condition(number):
    """A condition that says nothing of any fact."""
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "subject": PATIENT,
        "code": {"text": f"made-up condition {number}"},
    }


def order(name, medicine):
    """An order for a medicine."""
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": PATIENT,
        "medicationCodeableConcept": {"text": medicine},
    }


@contextmanager
def service(url, folder):
    """The service over a database, and the private key of an EHR that it believes."""
    key = ECKey.generate_key("P-384", {"kid": "bench"})
    keys, now = folder / "signing.pem", datetime.now(UTC)
    with closing(open_records(url, None, "main", keys, now)) as records:
        new = NewEhrClient("bench", ISSUER, jwks={"keys": [key.as_dict(private=False)]})
        EhrClients(records, Outbound()).add(new, Act("cli:bench", "operator", "bench", now))
    with serving(url, keys, WORKERS, PUBLIC_URL) as port:
        yield port, key.as_dict(private=True)


@contextmanager
def echo_server():
    """The endpoint to compare with, on a free port."""
    with gunicorn("benchmarks.echo:app", WORKERS) as (port, _process):
        yield port


def main():
    """Measure this alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ehr", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=60, help="calls of each caller")
    print(machine())
    report(parser.parse_args())


if __name__ == "__main__":
    main()
