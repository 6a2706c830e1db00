"""schemathesis against both OpenAPI documents: what they say is what the servers do."""
import base64
import json
import os
import random
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import schemathesis
from schemathesis.cli import schemathesis as program

ISSUER, ADMIN, ADMIN_TOKEN = (os.environ[name] for name in ("ISSUER", "ADMIN", "ADMIN_TOKEN"))
GATEWAY = os.environ["GATEWAY"]
REGISTERING, PERSON = os.environ["INITIAL_ACCESS_TOKEN"], os.environ["PERSON_TOKEN"]
USERNAME = os.environ["USERNAME"]
SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml")
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]
REDIRECT = "http://127.0.0.1/callback"
# A signed event is one line of text.
schemathesis.serializer.alias("application/secevent+jwt", "text/plain")
GRANTS = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
]
SCOPES = "openid profile orders:read tokenward:restrictions"


def ask(method, url, token, body=None):
    """What a server answers to a good request."""
    request = urllib.request.Request(url, method=method)
    request.add_header("authorization", f"Bearer {token}")
    if body is not None:
        request.add_header("content-type", "application/json")
        body = json.dumps(body).encode()
    with urllib.request.urlopen(request, body, timeout=10) as answer:
        return json.load(answer)


def client():
    """A client that may do everything, so that its requests get far."""
    return ask("POST", f"{ADMIN}/api/v1/clients", ADMIN_TOKEN, {
        "client_name": "described",
        "grant_types": GRANTS,
        "redirect_uris": [REDIRECT],
        "scope": SCOPES,
        "backchannel_token_delivery_mode": "poll",
    })


def registration():
    """A client that may change its own registration."""
    return ask("POST", f"{ISSUER}/register", REGISTERING, {"redirect_uris": [REDIRECT]})


def person():
    """Somebody who may be signed out and given another password."""
    return ask("POST", f"{ADMIN}/api/v1/users", ADMIN_TOKEN, {"username": "somebody"})


def personal():
    """A token of that client, which lives long."""
    return {
        "client_id": CLIENT["client_id"], "name": "described", "scope": "orders:read",
        "expires_in": 3600,
    }


def refused():
    """What the gateway calls a request without a token."""
    try:
        urllib.request.urlopen(f"{GATEWAY}/orders", timeout=10).close()
    except urllib.error.HTTPError as answer:
        return answer.headers["x-request-id"]


CLIENT, OWN, SOMEBODY = client(), registration(), person()
# Methods and paths, with the statuses that they answered. One client was registered just now: of what comes later the
# wrong requests are first, and after a hundred of them every other has to wait.
SEEN = {("POST", "/register"): {201}}
SEED = 20261128
CHANCE = random.Random(SEED)


@schemathesis.auth(refresh_interval=None, retry_on=[])
class Credentials:
    """For each path what its callers show."""

    def get(self, case, context):
        return credential(label(case))

    def set(self, case, data, context):
        if data:
            case.headers["Authorization"] = data


def label(case):
    prefix = urllib.parse.urlsplit(case.operation.base_url).path.rstrip("/")
    return prefix + case.operation.path


def credential(path):
    if path.startswith("/api/") or path == "/global-token-revocation":
        return f"Bearer {ADMIN_TOKEN}"
    if path == "/register":
        return f"Bearer {REGISTERING}"
    if path.startswith("/register/"):
        return f"Bearer {OWN['registration_access_token']}"
    if path == "/userinfo":
        return f"Bearer {PERSON}"
    if path in ("/authorize", "/logout", "/openapi.json") or path.startswith("/.well-known/"):
        return None
    pair = f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


# What a good request has, so that it gets further than the first check.
GOOD = {
    "/authorize": {"client_id": CLIENT["client_id"], "redirect_uri": REDIRECT},
    "/bc-authorize": {"login_hint": USERNAME, "scope": "openid"},
    "/device_authorization": {"scope": "openid"},
    "/global-token-revocation": {"sub_id": {"format": "opaque", "id": SOMEBODY["id"]}},
    "/introspect": {"token": PERSON},
    "/par": {
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    },
    "/register": {"redirect_uris": [REDIRECT]},
    "/register/{client_id}": {"client_id": OWN["client_id"], "redirect_uris": [REDIRECT]},
    "/api/v1/users": {"password": "correct horse battery"},
    "/api/v1/users/{id}/password": {"password": "correct horse battery"},
    "/api/v1/invitations": {"email": "described@example.com"},
    "/token": {"grant_type": "client_credentials", "scope": "orders:read"},
}
# Credentials go in the header, and what excludes the good values is left out.
LEFT_OUT = {
    "client_id", "client_secret", "client_assertion", "client_assertion_type", "id_token_hint",
    "request", "resource", "authorization_details", "dpop_jkt", "claims", "access_token",
}


# What needs something that nobody here has done: a finding, a restriction that can be lifted.
FAR = {
    ("DELETE", "/api/v1/restrictions/{seq}"),
    # There is no finding, so that nothing waits to be told.
    ("DELETE", "/api/v1/deliveries/{id}"),
    ("POST", "/api/v1/deliveries/{id}/retry"),
    ("GET", "/api/v1/findings/{id}"),
    ("POST", "/api/v1/findings/{id}/feedback"),
    ("POST", "/api/v1/findings/{id}/undo"),
    ("GET", "/api/v1/incidents/{id}"),
    ("POST", "/api/v1/incidents/{id}/undo"),
    ("DELETE", "/api/v1/tolerances/{seq}"),
    # Needs a configuration file, which `tokenward dev` has none of.
    ("POST", "/api/v1/config/reload"),
    # Somebody has to have set up an app for codes.
    ("DELETE", "/api/v1/users/{id}/factors/{factor}"),
    # Somebody has to have signed in at an identity provider, and one of those has to be configured.
    ("DELETE", "/api/v1/users/{id}/identities/{identity}"),
    ("POST", "/api/v1/users/{id}/identities/{identity}/tokens"),
    ("POST", "/login/provider/{provider}/logout"),
    # Only where challenges are demanded, and where a resource has its statuses published.
    ("POST", "/challenge"),
    # Only where somebody gets security events.
    ("GET", "/.well-known/ssf-configuration"),
    # Needs a stream that is fetched, which `poll_events.py` has.
    ("POST", "/ssf/poll/{stream}"),
    # Needs an event that a transmitter has signed.
    ("POST", "/ssf/events"),
    # Needs the signature of one who reports leaks.
    ("POST", "/leaks/github"),
    ("GET", "/status/{list}"),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    path = label(case)
    if case.method.lower() != case.operation.method.lower() and credential(path):
        # Which methods there are is told to those who are let in.
        case.headers["Authorization"] = credential(path)
    body = case.body if isinstance(case.body, dict) else None
    if body is not None and str(body.get("wait", "")).isdigit():
        body["wait"] = 0
    if body is not None and path == "/api/v1/keys/rotate":
        # Or every later request would be refused.
        body["compromised"] = False
    # Most good requests are made better; those that are wrong on purpose stay so.
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    # Registration is limited soon after some refusals, so that no good request of it is left as it is.
    if not is_good or (path != "/register" and CHANCE.random() < 0.3):
        return
    good = GOOD.get(path, {})
    if path == "/register/{client_id}":
        case.path_parameters["client_id"] = OWN["client_id"]
    if path == "/api/v1/users/{id}/identities":
        case.path_parameters["id"] = SOMEBODY["id"]
    if path == "/api/v1/outlets/{name}/test":
        case.path_parameters["name"] = "people"
    if path == "/api/v1/requests/{id}":
        case.path_parameters["id"] = refused()
    if path.startswith("/api/v1/personal-tokens/{jti}"):
        made = ask("POST", f"{ADMIN}/api/v1/personal-tokens", ADMIN_TOKEN, personal())
        case.path_parameters["jti"] = made["jti"]
    if body is not None and path.startswith("/api/v1/personal-tokens"):
        rest = {"/api/v1/personal-tokens": personal()}
        case.body = rest.get(path, {"scope": "orders:read"} if path.endswith("/narrow") else {})
    elif path in ("/api/v1/invitations/{id}", "/api/v1/mailbox/{id}"):
        invited = ask("POST", f"{ADMIN}/api/v1/invitations", ADMIN_TOKEN, GOOD["/api/v1/invitations"])
        newest = ask("GET", f"{ADMIN}/api/v1/mailbox?limit=1", ADMIN_TOKEN)["items"][0]["id"]
        case.path_parameters["id"] = invited["id"] if "invitations" in path else str(newest)
    elif body is not None and path == "/api/v1/invitations":
        case.body = dict(good)
    elif path.endswith("/{id}/password"):
        case.path_parameters["id"], case.body = SOMEBODY["id"], dict(good)
    elif body is not None and path == "/api/v1/users":
        case.body = good | {"username": f"described-{CHANCE.randrange(10**6)}"}
    elif body is not None and path.startswith("/register"):
        case.body = dict(good)
    elif body is not None and not path.startswith("/api/"):
        case.body = {k: v for k, v in body.items() if k not in LEFT_OUT} | good
    elif path == "/authorize":
        case.query = {k: v for k, v in case.query.items() if k not in LEFT_OUT} | good


@schemathesis.hook
def after_call(context, case, response):
    SEEN.setdefault((case.method, label(case)), set()).add(response.status_code)


def run(url, examples):
    """Runs every check against one document; ends the program at the first contradiction."""
    arguments = [
        "--config-file", SETTINGS,
        "run", url, "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(examples), "--seed", str(SEED), "--generation-database", "none",
        "--request-timeout", "30", "--max-redirects", "0", "--suppress-health-check", "all", "--warnings", "off", "--no-color",
        "--no-shrink", "--continue-on-failure",
    ]
    try:
        program(arguments, standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise


# Its notes are not for the folder that this was called from.
notes = tempfile.TemporaryDirectory()
os.chdir(notes.name)
run(f"{ISSUER}/openapi.json", int(os.environ.get("EXAMPLES", "20")))
run(f"{ADMIN}/api/openapi.json", int(os.environ.get("EXAMPLES", "10")))
# Requests that all stop at the door would prove nothing.
for operation, statuses in sorted(SEEN.items()):
    if statuses != {405}:
        print(*operation, *sorted(statuses))
shut = [
    operation for operation, statuses in SEEN.items()
    if statuses != {405} and not any(status < 400 for status in statuses)
]
if set(shut) - FAR:
    raise SystemExit(f"never reached: {sorted(set(shut) - FAR)}")
print("ok: schemathesis")
