"""Authlib through the whole life of a sign-in."""

import os

# The issuer under test is plain HTTP on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"

from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session

from browser import CALLBACK, ensure, given, sign_in

ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD = given(
    "ISSUER", "GATEWAY", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD"
)


class RelyingParty(OpenIDMixin, OAuth2Session):
    """Authlib's session together with its checks of the id_token, as its web integrations have it."""

    def __init__(self, metadata, **options):
        super().__init__(
            CLIENT_ID, CLIENT_SECRET, token_endpoint=metadata["token_endpoint"], **options
        )
        self.server_metadata = metadata

    def load_server_metadata(self):
        return self.server_metadata

    def _get_session(self):
        return OAuth2Session()


def main():
    metadata = discovered()
    person = RelyingParty(
        metadata,
        scope="openid profile orders:read",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = person.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    answer = sign_in(url, USERNAME, PASSWORD)
    tokens = person.fetch_token(
        authorization_response=answer, state=state, code_verifier=verifier
    )
    claims = person.parse_id_token(tokens, nonce)
    ensure(orders(person) == 200, "the gateway refuses the access token")

    renewed = person.refresh_token()
    ensure(renewed["refresh_token"] != tokens["refresh_token"], "the refresh token was not rotated")
    ensure(orders(person) == 200, "the gateway refuses the renewed token")
    about = person.userinfo()
    ensure(about["sub"] == claims["sub"], f"userinfo is about {about}")
    ensure(about["preferred_username"] == USERNAME, f"userinfo is about {about}")

    taken_back(metadata, person, renewed)

    machine = RelyingParty(metadata, scope="orders:read")
    machine.fetch_token(grant_type="client_credentials")
    ensure(orders(machine) == 200, "the gateway refuses the client itself")
    print("ok: authlib")


def discovered():
    response = OAuth2Session().get(
        f"{ISSUER}/.well-known/openid-configuration", withhold_token=True, timeout=10
    )
    response.raise_for_status()
    metadata = response.json()
    ensure(metadata["issuer"] == ISSUER, f"discovery names the issuer {metadata['issuer']}")
    return metadata


def orders(session):
    """The gateway's answer to the session's token."""
    return session.get(f"{GATEWAY}/orders", timeout=10).status_code


def taken_back(metadata, person, tokens):
    """Revoking the refresh token takes every token of the sign-in back."""
    introspection = metadata["introspection_endpoint"]
    before = person.introspect_token(introspection, tokens["access_token"]).json()
    ensure(before["active"] and before["client_id"] == CLIENT_ID, f"introspection: {before}")
    response = person.revoke_token(
        metadata["revocation_endpoint"], tokens["refresh_token"], "refresh_token"
    )
    ensure(response.status_code == 200, f"revocation answered {response.status_code}")
    ensure(orders(person) == 401, "a revoked token passes the gateway")
    after = person.introspect_token(introspection, tokens["access_token"]).json()
    ensure(after == {"active": False}, f"introspection after revocation: {after}")
    try:
        person.refresh_token()
    except OAuthError as error:
        ensure(error.error == "invalid_grant", f"expected invalid_grant, got {error}")
    else:
        raise SystemExit("a revoked refresh token was renewed")


main()
