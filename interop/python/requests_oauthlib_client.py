"""requests-oauthlib: a person's session that renews itself, a public client's, and a machine's."""

import os

# The issuer under test is plain HTTP on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from browser import CALLBACK, ensure, given, sign_in

ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD = given(
    "ISSUER", "GATEWAY", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD"
)
ADMIN, ADMIN_TOKEN = given("ADMIN", "ADMIN_TOKEN")
SCOPES = ["openid", "profile", "orders:read", "offline_access"]


def main():
    metadata = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json()
    person(metadata, CLIENT_ID, CLIENT_SECRET)
    person(metadata, public_client(), None)
    machine(metadata)
    print("ok: requests-oauthlib")


def person(metadata, client_id, secret):
    kept = []
    session = OAuth2Session(
        client_id,
        scope=SCOPES,
        redirect_uri=CALLBACK,
        pkce="S256",
        auto_refresh_url=metadata["token_endpoint"],
        auto_refresh_kwargs={"client_id": client_id, **({"client_secret": secret} if secret else {})},
        token_updater=kept.append,
    )
    url, _ = session.authorization_url(metadata["authorization_endpoint"])
    answer = sign_in(url, USERNAME, PASSWORD)
    tokens = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=answer,
        client_secret=secret,
        include_client_id=secret is None or None,
    )
    ensure(orders(session) == 200, "the gateway refuses the access token")
    about = session.get(metadata["userinfo_endpoint"]).json()
    ensure(about["preferred_username"] == USERNAME, f"userinfo is about {about}")

    # The library renews by itself what it takes for expired.
    session.token = {**tokens, "expires_in": -1, "expires_at": 1}
    ensure(orders(session) == 200, "the gateway refuses the renewed token")
    ensure(len(kept) == 1, f"renewed {len(kept)} times")
    ensure(kept[0]["refresh_token"] != tokens["refresh_token"], "the refresh token was not rotated")

    try:
        session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=answer,
            client_secret=secret,
            include_client_id=secret is None or None,
        )
        raise SystemExit("a code was taken twice")
    except OAuth2Error as error:
        ensure(error.error == "invalid_grant", f"a code twice: {error}")


def machine(metadata):
    session = OAuth2Session(client=BackendApplicationClient(CLIENT_ID, scope=["orders:read"]))
    for how in ({"auth": HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET)}, {"client_secret": CLIENT_SECRET}):
        tokens = session.fetch_token(metadata["token_endpoint"], **how)
        ensure("refresh_token" not in tokens, "client credentials came with a refresh token")
        ensure(orders(session) == 200, "the gateway refuses the client itself")


def public_client():
    """One that has nothing to show."""
    answer = requests.post(
        f"{ADMIN}/api/v1/clients",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
        json={
            "client_name": "Script",
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": [CALLBACK],
            "scope": " ".join(SCOPES),
        },
        timeout=10,
    )
    ensure(answer.status_code == 201, f"registration: {answer.text}")
    return answer.json()["client_id"]


def orders(session):
    return session.get(f"{GATEWAY}/orders").status_code


main()
