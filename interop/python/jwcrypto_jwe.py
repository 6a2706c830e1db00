"""jwcrypto opens what we encrypted by every algorithm, and encrypts some for us."""

import base64
import json
import secrets

from jwcrypto import jwe, jwk
from jwcrypto.common import json_encode

from browser import ensure, given

GIVEN, MADE = given("GIVEN", "MADE")
EACH = 12


def encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def generated(alg):
    """Fresh keys for an algorithm, one of each curve."""
    if alg in ("dir", "A256GCMKW"):
        return [jwk.JWK.generate(kty="oct", size=256)]
    if alg.startswith("ECDH"):
        return [
            jwk.JWK.generate(kty="EC", crv="P-256"),
            jwk.JWK.generate(kty="EC", crv="P-384"),
            jwk.JWK.generate(kty="OKP", crv="X25519"),
        ]
    return [jwk.JWK.generate(kty="RSA", size=2048)]


with open(GIVEN, encoding="utf-8") as file:
    ours = json.load(file)
for one in ours:
    key = jwk.JWK(**one["jwk"])
    opened = jwe.JWE()
    opened.deserialize(one["token"], key=key)
    ensure(encoded(opened.payload) == one["content"], f"{one['alg']}: another content")
    token = one["token"]
    changed = token[:-10] + ("B" if token[-10] == "A" else "A") + token[-9:]
    try:
        jwe.JWE().deserialize(changed, key=key)
    except jwe.InvalidJWEData:
        continue
    raise SystemExit(f"{one['alg']}: a changed text was opened")

made = []
for alg in sorted({one["alg"] for one in ours}):
    for key in generated(alg):
        shown = {**json.loads(key.export()), "alg": alg}
        shown.pop("kid", None)
        for enc in ("A256GCM", "A128CBC-HS256"):
            for n in range(EACH):
                content = secrets.token_bytes(n * 17 + 1)
                text = jwe.JWE(content, json_encode({"alg": alg, "enc": enc}))
                text.add_recipient(key)
                token = text.serialize(compact=True)
                made.append({"alg": alg, "jwk": shown, "token": token, "content": encoded(content)})
with open(MADE, "w", encoding="utf-8") as file:
    json.dump(made, file)
print(f"ok: jwcrypto, {len(ours)} of ours, {len(made)} of its own")
