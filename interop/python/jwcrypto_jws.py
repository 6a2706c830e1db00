"""jwcrypto checks our signatures by every algorithm that it knows, and makes some for us."""

import base64
import json
import secrets

from jwcrypto import jwk, jws
from jwcrypto.common import json_encode

from browser import ensure, given

GIVEN, MADE = given("GIVEN", "MADE")
EACH = 20
# The name of RFC 9864 is newer than the library.
NOT_KNOWN = {"Ed25519"}


def encoded(payload):
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def generated(alg):
    """A fresh key for an algorithm."""
    if alg.startswith("HS"):
        return jwk.JWK.generate(kty="oct", size=int(alg[2:]))
    if alg.startswith("ES"):
        return jwk.JWK.generate(kty="EC", crv={"ES256": "P-256", "ES384": "P-384"}[alg])
    if alg.startswith("Ed"):
        return jwk.JWK.generate(kty="OKP", crv="Ed25519")
    return jwk.JWK.generate(kty="RSA", size=2048)


with open(GIVEN, encoding="utf-8") as file:
    ours = [one for one in json.load(file) if one["alg"] not in NOT_KNOWN]
for one in ours:
    key = jwk.JWK(**one["jwk"])
    checked = jws.JWS()
    checked.allowed_algs = [one["alg"]]
    checked.deserialize(one["token"], key=key)
    ensure(encoded(checked.payload) == one["payload"], f"{one['alg']}: another payload")
    token = one["token"]
    changed = token[:-10] + ("B" if token[-10] == "A" else "A") + token[-9:]
    refused = jws.JWS()
    refused.allowed_algs = [one["alg"]]
    try:
        refused.deserialize(changed, key=key)
    except jws.InvalidJWSSignature:
        continue
    raise SystemExit(f"{one['alg']}: a changed signature was accepted")

made = []
for alg in sorted({one["alg"] for one in ours}):
    key = generated(alg)
    shown = {**json.loads(key.export(private_key=alg.startswith("HS"))), "alg": alg}
    shown.pop("kid", None)
    for n in range(EACH):
        # jwcrypto takes an empty payload for none.
        payload = secrets.token_bytes(n * 17 + 1)
        signed = jws.JWS(payload)
        signed.allowed_algs = [alg]
        signed.add_signature(key, protected=json_encode({"alg": alg}))
        token = signed.serialize(compact=True)
        made.append({"alg": alg, "jwk": shown, "token": token, "payload": encoded(payload)})
with open(MADE, "w", encoding="utf-8") as file:
    json.dump(made, file)
print(f"ok: jwcrypto, {len(ours)} of ours, {len(made)} of its own")
