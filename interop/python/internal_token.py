"""joserfc verifies, as an API behind the gateway would, the token that the gateway gives it."""

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import ensure, given

INTERNAL, GATEWAY, SUBJECT = given("INTERNAL", "GATEWAY", "SUBJECT")

response = requests.get(f"{GATEWAY}/.well-known/tokenward-internal-jwks.json", timeout=10)
response.raise_for_status()
keys = KeySet.import_key_set(response.json())
decoded = jwt.decode(INTERNAL, keys, algorithms=["EdDSA"])
ensure(decoded.header["typ"] == "tokenward-internal+jwt", f"typ is {decoded.header['typ']}")
registry = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": GATEWAY},
    aud={"essential": True, "value": "public"},
    sub={"essential": True, "value": SUBJECT},
    client_id={"essential": True},
    exp={"essential": True},
    tkn={"essential": True},
)
registry.validate(decoded.claims)
print("ok: joserfc")
