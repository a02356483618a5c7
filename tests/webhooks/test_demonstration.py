"""The demonstration tells of its events by itself."""

import json
import re

import standardwebhooks

from tests.faults.serving import until
from tests.test_demonstration import Clinic, ask, by_the_curl_line, lines_until, serving


def test_the_demonstration_delivers_and_stops_in_silence(tmp_path, receiver):
    with serving(tmp_path, "--demonstration", env={"DOSEGATE_PRIVATE_HOSTS": receiver.host}) as stream:
        said = lines_until(stream, "Passwords, PINs")
        clinic = Clinic(int(re.search(r"127\.0\.0\.1:(\d+)", said)[1]), said, tmp_path)
        method, address, body, headers = by_the_curl_line(clinic)
        wanted = {"url": receiver.url, "events": ["checklist.completed"], "full": True}
        added = ask(clinic.port, "POST", "/api/v1/webhooks/endpoints", json.dumps(wanted), headers)
        receiver.secret = json.loads(added[2])["secret"]
        made = ask(clinic.port, method, address, body, headers)
        until(lambda: receiver.got, "nothing is told")
    [got] = receiver.got
    standardwebhooks.Webhook(receiver.secret).verify(got.body, got.headers)
    assert got.data["link"] == f"http://127.0.0.1:{clinic.port}{made[1]['Location']}"
    assert got.data["result"] == json.loads(made[2])
