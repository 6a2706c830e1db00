"""joserfc opens what we encrypted by every algorithm, and encrypts some for us."""

import base64
import json
import secrets

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from browser import ensure, given

GIVEN, MADE = given("GIVEN", "MADE")
EACH = 12


def encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def generated(alg):
    """Fresh keys for an algorithm, one of each curve."""
    if alg in ("dir", "A256GCMKW"):
        return [OctKey.generate_key(256)]
    if alg.startswith("ECDH"):
        curves = [ECKey.generate_key("P-256"), ECKey.generate_key("P-384")]
        return [*curves, OKPKey.generate_key("X25519")]
    return [RSAKey.generate_key(2048)]


with open(GIVEN, encoding="utf-8") as file:
    ours = json.load(file)
for one in ours:
    members = {name: value for name, value in one["jwk"].items() if name not in ("alg", "use")}
    key, known = import_key(members), [one["alg"], "A256GCM"]
    opened = jwe.decrypt_compact(one["token"], key, algorithms=known)
    ensure(encoded(opened.plaintext) == one["content"], f"{one['alg']}: another content")
    token = one["token"]
    changed = token[:-10] + ("B" if token[-10] == "A" else "A") + token[-9:]
    try:
        jwe.decrypt_compact(changed, key, algorithms=known)
    except (JoseError, ValueError):
        continue
    raise SystemExit(f"{one['alg']}: a changed text was opened")

made = []
for alg in sorted({one["alg"] for one in ours}):
    for key in generated(alg):
        jwk = {**key.as_dict(private=True), "alg": alg}
        for name in ("kid", "key_ops", "use"):
            jwk.pop(name, None)
        for enc in ("A256GCM", "A128CBC-HS256"):
            for n in range(EACH):
                content = secrets.token_bytes(n * 17 + 1)
                header = {"alg": alg, "enc": enc}
                token = jwe.encrypt_compact(header, content, key, algorithms=[alg, enc])
                made.append({"alg": alg, "jwk": jwk, "token": token, "content": encoded(content)})
with open(MADE, "w", encoding="utf-8") as file:
    json.dump(made, file)
print(f"ok: joserfc, {len(ours)} of ours, {len(made)} of its own")
