"""Verify a journal that Dosegate exported, with nothing but this file and Python 3.11 or newer:
python verify_journal.py EXPORT.ndjson --key PUBLIC.pem [--checkpoint HELD.json]
Prints each fault on a line, and some notes; ends with status 1 where there is a fault, else with 0."""

import argparse
import hmac
import json
from base64 import b64decode
from hashlib import sha256, sha512
from pathlib import Path

# fmt: off
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519: RFC 8032, section 5.1
D, ROOT, BASE = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P), 4 * pow(5, -1, P) % P
JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
def point(text):  # 5.1.3: the point of the curve that 32 bytes stand for
    y, odd = int.from_bytes(text, "little") % 2**255, text[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    return x if x % 2 == odd else P - x, y
def add(p, q):
    t, x, y = D * p[0] * q[0] * p[1] * q[1], p[0] * q[1] + p[1] * q[0], p[1] * q[1] + p[0] * q[0]
    return x * pow(1 + t, -1, P) % P, y * pow(1 - t, -1, P) % P
def times(n, p):
    return add(times(n - 1, p), p) if n % 2 else times(n // 2, add(p, p)) if n else (0, 1)
def is_signed(key, signature, message):  # 5.1.7
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(sha512(r + key + message).digest(), "little") % ORDER
    x, y = add(times(s, point(BASE.to_bytes(32, "little"))), times(8 * ORDER - h, point(key)))
    return len(signature) == 64 and s < ORDER and r == (y | x % 2 << 255).to_bytes(32, "little")
def canonical(document, without):  # RFC 8785, so far as a journal needs it
    return JSON.encode({key: document[key] for key in document if key != without}).encode(errors="surrogatepass")
def digest_of(entry, site, number):
    return f"sha256:{sha256(canonical({**entry, 'site': site, 'sequence': number}, 'digest')).hexdigest()}"
def commitment(salt, part, text):
    return f"hmac-sha256:{hmac.digest(b64decode(salt), part.encode() + bytes(1) + b64decode(text), 'sha256').hex()}"
def checkpoint_fault(signed, name, keys, site, last, entry=None):
    key, name, message = signed["key"], f"{name} of entry {signed['sequence']}", canonical(signed, "signature")
    if key not in keys or not is_signed(keys[key], b64decode(signed["signature"]), message):
        return f"bad signature: {name} is not signed by key {key}, or that key is not trusted"
    if signed["site"] != site:
        return f"swapped chain: {name} is of site {signed['site']}"
    if not entry:
        return f"{'truncated' if signed['sequence'] > last else 'deleted'}: what {name} signs is not there"
    other = any(signed[each] != entry[each] for each in ("sequence", "at", "digest"))
    return other and f"rewritten without the key: {name} signs another entry than stands there"
def faults(lines, keys, held=None):  # one sentence each, notes too; None and False among them say nothing
    header, site, was, whole, shift, sealed, rules, unopened = {}, "", "", False, 0, 0, set(), {}
    held, last = [*(held or ())], {"sequence": 0, "at": "", "digest": "sha256:" + 64 * "0"}
    for text in lines:
        try:
            line = json.loads(text)
            header, whole, entry = header or dict(line["header"]), "head" in line, line.get("entry")
            site, opens, end = header["site"], line.get("opens"), last["sequence"]
            signed = [(line["checkpoint"], "the checkpoint", entry)] if line.get("checkpoint") else []
            yield from (f"orphan: the {what} {id} has no entry" for what, id in line.get("orphan", {}).items())
            for digest, stored in line.get("rules", {}).items():
                rules.add(digest)
                other = digest != f"sha256:{sha256(stored.encode()).hexdigest()}"
                yield other and f"edited: the stored rules {digest} no longer have this digest"
            if whole:
                yield end > (head := line["head"])["sequence"] and f"inserted: behind its head the chain goes on to entry {end}"
                yield shift and f"{'deleted' if shift > 0 else 'inserted'}: entry {end} was written as {end + shift}"
                there = None if end < head["sequence"] else last if end == head["sequence"] > 0 else head
                signed.append(({**head, "head": True}, "the head", there))
            outside = [each for each in held if entry and each["sequence"] == entry["sequence"]]
            held = [each for each in held if each not in outside]
            for each, name, there in signed + [(each, "the outside checkpoint", entry) for each in outside]:
                yield (fault := checkpoint_fault(each, name, keys, site, end, there))
                sealed = sealed if fault else each["sequence"]
            if not entry:
                continue
            number, event, details, bound = map(entry.get, ("sequence", "event", "details", "commitments"))
            where = f"entry {number} ({event}, {entry['subject']})"
            tries = [(entry["site"], number + n) for n in (0, shift, *range(-50, 51))]  # as what was it written?
            tries += [(other, number) for other in header["others"]]
            fits = (each for each in tries if type(number) is int and digest_of(entry, *each) == entry["digest"])
            origin, written = next(fits, (None, number + shift))
            gap, turn = number - end - 1, written - number != shift
            yield not origin and f"edited: {where} no longer has the digest that it was written with"
            yield origin not in (None, site, was) and f"swapped chain: {where} was written by site {origin}"
            yield gap and (f"deleted: before {where}, {gap} missing" if gap > 0 else f"inserted: {where} stands behind entry {end}")
            yield turn and written != number and f"reordered: {where} was written as entry {written}"
            sure = origin and not gap and not turn
            cut, day = entry["previous"] != last["digest"], last["at"][:10] not in ("", entry["at"][:10])
            yield sure and cut and f"edited: {where} was not written behind the entry that stands before it"
            yield not line.get("checkpoint") and (number % 100 == 0 or (sure and day)) and f"deleted: the checkpoint of {where} is missing"
            last, shift, was = entry, written - number, origin
            if opens:
                found = {part: commitment(opens["salt"], part, text) for part, text in opens["parts"].items()}
                other = sorted(part for part in {*found, *bound} if found.get(part) != bound.get(part))
                yield other and f"altered contents: {where} commits to another {', '.join(other)}"
            elif bound and header["openings"]:
                unopened[details.get("remark", entry["subject"])] = where
            if event == "checklist.made":
                told = {"id": entry["subject"], "site": site, "actor": entry["actor"], "supersedes": None} | details
                yield line.get("checklist") != {name: told[name] for name in told.keys() - {"hook", "hook_instance", "asked_by"}} and f"edited: the checklist of {where} is altered"
                yield not rules >= {details["knowledge"], details["policy"]} and f"deleted: the rules of {where}"
            for id in details["checklists"] + details["remarks"] if event == "patient.erased" else ():
                unopened.pop(id, None)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            yield f"edited: what stands behind entry {last['sequence']} cannot be read"
    yield from (f"missing contents: what {at} commits to is gone, and not by an erasure" for at in unopened.values())
    yield from (checkpoint_fault(each, "the outside checkpoint", keys, site, last["sequence"]) for each in held)
    yield not whole and "truncated: the export breaks off"
    yield not header.get("openings") and "note: contents were left out: nothing was compared with commitments"
    yield f"note: the last entry is {last['sequence']}, and the chain is signed up to entry {sealed}"
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", type=Path, action="append", required=True)
    parser.add_argument("--checkpoint", type=lambda name: json.loads(Path(name).read_text()), action="append")
    given = parser.parse_args()
    raw = [b64decode(text)[-32:] for path in given.key for text in path.read_text().split("-----")[2::4]]
    keys = {sha256(each).hexdigest()[:16]: each for each in raw}
    with given.export.open("rb") as lines:
        found = [print(ascii(each)[1:-1]) or each for each in faults(lines, keys, given.checkpoint) if each]
    raise SystemExit(not all(each.startswith("note: ") for each in found))
