"""A receiver that fetches security events (RFC 8936) and checks them with joserfc, by what is published."""

import threading
import time

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import ensure, given

ISSUER, ADMIN, ADMIN_TOKEN, RECEIVER_TOKEN = given("ISSUER", "ADMIN", "ADMIN_TOKEN", "RECEIVER_TOKEN")
NAME = "https://schemas.openid.net/secevent"
WAIT = 45

known = requests.get(f"{ISSUER}/.well-known/ssf-configuration", timeout=10).json()
ensure("urn:ietf:rfc:8936" in known["delivery_methods_supported"], f"methods are {known}")
keys = KeySet.import_key_set(requests.get(known["jwks_uri"], timeout=10).json())


def poll(token=RECEIVER_TOKEN, status=200, **asked):
    answer = requests.post(
        f"{ISSUER}/ssf/poll/crm", json=asked, headers={"authorization": f"Bearer {token}"}, timeout=WAIT
    )
    ensure(answer.status_code == status, f"{asked} is answered {answer.status_code}: {answer.text}")
    return answer.json()


def admin(method, path, body):
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    answer = requests.request(method, f"{ADMIN}/api/v1{path}", json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json()


def checked(answer):
    """The kinds of events in an answer, each a signed token of this issuer for us."""
    kinds = []
    for jti, token in answer["sets"].items():
        decoded = jwt.decode(token, keys, algorithms=["RS256", "ES256", "EdDSA"])
        ensure(decoded.header["typ"] == "secevent+jwt", f"typ is {decoded.header['typ']}")
        claims = decoded.claims
        ensure(claims["jti"] == jti, f"{jti} is {claims['jti']}")
        ensure(claims["iss"] == known["issuer"] and claims["aud"] == "https://crm.example", f"{claims}")
        kinds += [kind.removeprefix(NAME) for kind in claims["events"]]
    return sorted(kinds)


refused = poll(token="guessed", status=401, returnImmediately=True)
ensure(refused["err"] == "authentication_failed", f"{refused}")
ensure(poll(returnImmediately=True)["sets"] == {}, "nothing has happened")
ensure("err" in poll(status=400, maxEvents="many"), "no number")

rosa = admin("POST", "/users", {"username": "rosa", "password": "a long and odd passphrase"})
found = []
waits = threading.Thread(target=lambda: found.append(poll()))
waits.start()
time.sleep(1)
ensure(waits.is_alive(), "it waits for an event")
admin("PATCH", f"/users/{rosa['id']}", {"disabled": True})
waits.join(WAIT)
ensure(found and found[0]["sets"], "the event has reached the one who waits")

# The two events of one act may come in two answers.
held = found[0]["sets"]
for _ in range(100):
    held = poll(returnImmediately=True)["sets"]
    if len(held) == 2:
        break
    time.sleep(0.1)
ensure(set(found[0]["sets"].items()) <= set(held.items()), "what is not acknowledged comes again")
kinds = checked({"sets": held})
expected = ["/caep/event-type/session-revoked", "/risc/event-type/account-disabled"]
ensure(kinds == expected, f"events are {kinds}")
one, other = sorted(held)
some = poll(maxEvents=1, returnImmediately=True)
ensure(len(some["sets"]) == 1 and some["moreAvailable"], f"{some}")
rest = poll(ack=[one], returnImmediately=True)
ensure(list(rest["sets"]) == [other] and not rest["moreAvailable"], f"{rest}")
errors = {other: {"err": "invalid_key", "description": "not known here"}}
over = poll(setErrs=errors, returnImmediately=True)
ensure(over["sets"] == {}, f"{over}")
ensure(poll(maxEvents=0)["sets"] == {}, "acknowledged is gone")
dead = requests.get(
    f"{ADMIN}/api/v1/deliveries?dead=true", headers={"authorization": f"Bearer {ADMIN_TOKEN}"}, timeout=10
).json()["items"]
ensure([one["id"] for one in dead] == [other], f"{dead}")
ensure("invalid_key" in dead[0]["cause"], f"{dead}")

tested = admin("POST", "/outlets/crm/test", {})
ensure(tested["taken"], f"{tested}")
kinds = checked(poll(returnImmediately=True))
ensure(kinds == ["/ssf/event-type/verification"], f"events are {kinds}")
print("ok: poll_events")
