"""Requests that somebody signs: who asks shows once more who they are."""

from typing import Any

from service.api.bodies import document_received
from service.api.people_schemas import SignedSchema
from service.web.parts import act, parts, principal

SIGNED_PROBLEMS = (400, 413, 415, 422, 429)


def signed_document(schema: SignedSchema) -> dict[str, Any]:
    """What is asked for by somebody who has shown again who they are, without the secret.

    Raises WrongSecret, TooManyFailures, BadInput, and what `document_received` raises.
    """
    given = document_received(schema)
    parts().accounts.sign(principal(), given.pop("secret"), act())
    return given
