"""joserfc checks our signatures by every algorithm, and makes some for us."""

import base64
import json
import secrets

from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from browser import ensure, given

GIVEN, MADE = given("GIVEN", "MADE")
EACH = 20


def encoded(payload):
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def generated(alg):
    """A fresh key for an algorithm."""
    if alg.startswith("HS"):
        return OctKey.generate_key(int(alg[2:]))
    if alg.startswith("ES"):
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[alg])
    if alg.startswith("Ed"):
        return OKPKey.generate_key("Ed25519")
    return RSAKey.generate_key(2048)


with open(GIVEN, encoding="utf-8") as file:
    ours = json.load(file)
for one in ours:
    key = import_key({name: value for name, value in one["jwk"].items() if name != "alg"})
    checked = jws.deserialize_compact(one["token"], key, algorithms=[one["alg"]])
    ensure(encoded(checked.payload) == one["payload"], f"{one['alg']}: another payload")
    token = one["token"]
    changed = token[:-10] + ("B" if token[-10] == "A" else "A") + token[-9:]
    try:
        jws.deserialize_compact(changed, key, algorithms=[one["alg"]])
    except BadSignatureError:
        continue
    raise SystemExit(f"{one['alg']}: a changed signature was accepted")

made = []
for alg in sorted({one["alg"] for one in ours}):
    key = generated(alg)
    jwk = {**key.as_dict(private=alg.startswith("HS")), "alg": alg}
    jwk.pop("key_ops", None)
    for n in range(EACH):
        payload = secrets.token_bytes(n * 17)
        token = jws.serialize_compact({"alg": alg}, payload, key, algorithms=[alg])
        made.append({"alg": alg, "jwk": jwk, "token": token, "payload": encoded(payload)})
with open(MADE, "w", encoding="utf-8") as file:
    json.dump(made, file)
print(f"ok: joserfc, {len(ours)} of ours, {len(made)} of its own")
