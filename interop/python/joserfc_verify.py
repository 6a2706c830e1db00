"""joserfc verifies an access token as an API would that has no gateway in front."""

import requests
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError
from joserfc.jwk import KeySet

from browser import ensure, given

ISSUER, GATEWAY, TOKEN = given("ISSUER", "GATEWAY", "TOKEN")


def fetched(url):
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    return response.json()


METADATA = fetched(f"{ISSUER}/.well-known/oauth-authorization-server")
KEYS = KeySet.import_key_set(fetched(METADATA["jwks_uri"]))


def verified(token, audience=GATEWAY, now=None):
    """The token's claims, checked as RFC 9068 section 4 asks of a resource server."""
    decoded = jwt.decode(token, KEYS, algorithms=["ES256"])
    ensure(decoded.header["typ"] == "at+jwt", f"typ is {decoded.header['typ']}")
    required = {name: {"essential": True} for name in ("sub", "client_id", "iat", "jti", "exp")}
    registry = jwt.JWTClaimsRegistry(
        now=now,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": audience},
        **required,
    )
    registry.validate(decoded.claims)
    return decoded.claims


def altered(token, index):
    """The token with one character in the middle of one of its parts changed."""
    parts = token.split(".")
    part, middle = parts[index], len(parts[index]) // 2
    other = "B" if part[middle] == "A" else "A"
    parts[index] = part[:middle] + other + part[middle + 1 :]
    return ".".join(parts)


def refused(expected, token, **options):
    try:
        verified(token, **options)
    except expected:
        return
    raise SystemExit(f"accepted, but {expected.__name__} was expected")


ensure(METADATA["issuer"] == ISSUER, f"discovery names the issuer {METADATA['issuer']}")
claims = verified(TOKEN)
refused(InvalidClaimError, TOKEN, audience="https://elsewhere.example")
refused(ExpiredTokenError, TOKEN, now=claims["exp"] + 1)
refused(BadSignatureError, altered(TOKEN, 1))
refused(BadSignatureError, altered(TOKEN, 2))
print("ok: joserfc")
