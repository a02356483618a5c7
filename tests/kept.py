"""Rules folders of a test's own, and checklists that are kept as the service keeps them."""

import json
import uuid

from service.intake.answers import answer_to
from service.records.journal import Act
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from tests.builders import shipped


def rules_folder(folder, edits=()):
    """A folder with the shipped rules, of which each `(file, old, new)` is one passage edited."""
    texts = dict(shipped().texts)
    for file, old, new in edits:
        assert old in texts[file], f"not in {file}: {old}"
        texts[file] = texts[file].replace(old, new, 1)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def keep(records, document, at, library=None):
    """Answer a request at a time and keep it; the id."""
    library = library or shipped()
    body, id = json.dumps(document, default=float).encode(), str(uuid.uuid4())
    answered = answer_to(body, library, id=id, evaluated_at=at, site=records.site)
    kept = StoredChecklist.of(answered, body, at=at, actor="user:nina")
    act = Act("user:nina", "nurse", "a-request", at)
    return Store(records).add(kept, Basis.of(library, answered.request.pack), act).id
