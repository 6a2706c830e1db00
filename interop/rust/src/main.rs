//! openidconnect: a person's sign-in with proof key and nonce, the ID token's signature, UserInfo,
//! renewal, and a device. Addresses for the person are printed after `open `; where they led is read.

mod http;

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreDeviceAuthorizationResponse, CoreGenderClaim,
    CoreIdTokenVerifier, CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    EmptyAdditionalClaims, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    RedirectUrl, Scope, TokenResponse as _, UserInfoClaims,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const CALLBACK: &str = "http://127.0.0.1/callback";
const SCOPES: [&str; 3] = ["profile", "orders:read", "offline_access"];

fn main() -> Outcome<()> {
    let issuer = IssuerUrl::new(env::var("ISSUER")?)?;
    let (id, secret) = (env::var("CLIENT_ID")?, env::var("CLIENT_SECRET")?);
    // Reads the keys too.
    let metadata = CoreProviderMetadata::discover(&issuer, &http::send)?;
    let endpoint =
        DeviceAuthorizationUrl::new(format!("{}/device_authorization", issuer.as_str()))?;
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(id),
        Some(ClientSecret::new(secret)),
    )
    .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned())?)
    .set_device_authorization_url(endpoint);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let answer = answered(open(url.as_str())?.as_str());
    ensure(answer.get("state") == Some(state.secret()), "the state is another")?;
    let code = answer.get("code").ok_or("no code")?.clone();
    let tokens = client
        .exchange_code(AuthorizationCode::new(code))?
        .set_pkce_verifier(verifier)
        .request(&http::send)?;
    let subject = checked(&tokens, &client.id_token_verifier(), &nonce)?;

    let about = |token: &openidconnect::AccessToken| -> Outcome<CoreUserInfoClaims> {
        // The library holds the subject against the ID token's.
        let request = client.user_info(token.clone(), Some(subject.clone()))?;
        let claims: UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim> =
            request.request(&http::send)?;
        Ok(claims)
    };
    let claims = about(tokens.access_token())?;
    let name = claims.preferred_username().map(|name| name.as_str());
    ensure(name == env::var("USERNAME").ok().as_deref(), "userinfo is about somebody else")?;

    let refresh = tokens.refresh_token().ok_or("no refresh token")?;
    let renewed = client.exchange_refresh_token(refresh)?.request(&http::send)?;
    ensure(renewed.access_token().secret() != tokens.access_token().secret(), "the same token")?;
    about(renewed.access_token())?;

    let started: CoreDeviceAuthorizationResponse = client
        .exchange_device_code()
        .add_scopes(["openid", "profile"].map(|scope| Scope::new(scope.to_owned())))
        .request(&http::send)?;
    open(started.verification_uri_complete().ok_or("no address with the code")?.secret())?;
    let tokens = client.exchange_device_access_token(&started)?.request(
        &http::send,
        std::thread::sleep,
        None,
    )?;
    about(tokens.access_token())?;
    println!("ok: openidconnect");
    Ok(())
}

/// Whom the ID token is about, if it is good and fits the access token.
fn checked(
    tokens: &CoreTokenResponse,
    verifier: &CoreIdTokenVerifier<'_>,
    nonce: &Nonce,
) -> Outcome<openidconnect::SubjectIdentifier> {
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let claims = id_token.claims(verifier, nonce)?;
    let expected = claims.access_token_hash().ok_or("the ID token has no at_hash")?;
    let (alg, key) = (id_token.signing_alg()?, id_token.signing_key(verifier)?);
    let hash = AccessTokenHash::from_token(tokens.access_token(), alg, key)?;
    ensure(hash == *expected, "the ID token is for another access token")?;
    let other = Nonce::new("another".to_owned());
    ensure(id_token.claims(verifier, &other).is_err(), "another nonce is as good")?;
    Ok(claims.subject().clone())
}

/// Sends the person to an address; where they ended.
fn open(url: &str) -> Outcome<String> {
    println!("open {url}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn answered(url: &str) -> HashMap<String, String> {
    let url = openidconnect::url::Url::parse(url);
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

fn ensure(condition: bool, words: &str) -> Outcome<()> {
    if condition { Ok(()) } else { Err(words.into()) }
}
