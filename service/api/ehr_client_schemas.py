"""The bodies of requests and responses about registered EHRs."""

from marshmallow import Schema, fields

from service.api import described as a
from service.api.people_schemas import SignedSchema

_NAME = "2 to 64 of a-z, 0-9, dot, dash and underscore; the journal knows the EHR as ehr:NAME."
_ISSUER = "The iss of its tokens, exactly."
_JWKS_URL = "The https address of its JWK set, which is read anew every hour."
_JWKS = "Its JWK set, where it has no address: public keys for RS384 or ES384."
_TENANTS = "The tenants that are believed; none: all."
_SERVERS = "Base addresses of FHIR servers that its own tokens may be sent to."
_ORIGINS = "Origins of its pages in a browser, such as https://ehr.example.org:8443."


class NewEhrClientSchema(SignedSchema):
    """An EHR to believe. It has either jwks_url or jwks."""

    name = fields.String(required=True, metadata=a.said(_NAME))
    issuer = fields.String(required=True, metadata=a.said(_ISSUER))
    jwks_url = fields.String(metadata=a.said(_JWKS_URL))
    jwks = fields.Dict(keys=fields.String(), metadata=a.said(_JWKS))
    tenants = fields.List(fields.String(), metadata=a.said(_TENANTS))
    fhir_servers = fields.List(fields.String(), metadata=a.said(_SERVERS))
    origins = fields.List(fields.String(), metadata=a.said(_ORIGINS))


class EhrClientSchema(Schema):
    """An EHR that is registered; nothing of it is secret."""

    name = a.text(metadata=a.said(_NAME))
    issuer = a.text(metadata=a.said(_ISSUER))
    jwks_url = a.maybe(metadata=a.said(_JWKS_URL))
    jwks = fields.Dict(keys=fields.String(), required=True, allow_none=True, metadata=a.said(_JWKS))
    tenants = a.texts(metadata=a.said(_TENANTS))
    fhir_servers = a.texts(metadata=a.said(_SERVERS))
    origins = a.texts(metadata=a.said(_ORIGINS))
    created_at = a.moment()
    revoked_at = a.maybe(metadata={"format": "date-time"})


class EhrClientsSchema(Schema):
    """Every EHR, by name."""

    ehr_clients = a.each(EhrClientSchema)
