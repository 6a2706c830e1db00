//! The tokens that are kept for a session: got by the ordinary grants, renewed before they end.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use token::event::Who;
use token::secret::Secret;
use token::term::{GrantType, parameter};
use token::time::Timestamp;

use crate::browser_app::BrowserApp;
use crate::browser_app::attempt::Attempt;
use crate::browser_app::fitness;
use crate::browser_app::refused::AppRefused;
use crate::caller::Caller;
use crate::client_auth::AuthenticatedClient;
use crate::endpoint::token::observe;
use crate::grant::{self, TokenRequest};
use crate::parameters::Parameters;

/// An access token is renewed so long before its end, or when three quarters of its life are over.
const AHEAD: Duration = Duration::from_secs(30);

/// Tokens of one grant.
pub(super) struct Kept {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    /// When it is time for newer ones.
    pub(super) renew_at: Timestamp,
    /// When the access token ends.
    pub(super) expires_at: Timestamp,
}

/// As they are stored.
#[derive(Deserialize)]
struct Stored {
    access_token: Secret,
    refresh_token: Option<Secret>,
    renew_at: i64,
    expires_at: i64,
}

/// RFC 6749 §5.1, as far as it matters here.
#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    expires_in: u64,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
}

/// The first tokens of a session.
pub(super) struct First {
    pub(super) kept: Kept,
    pub(super) id_token: Option<Secret>,
    pub(super) who: Who,
}

/// Redeems a code, as the token endpoint does (RFC 6749 §4.1.3).
pub(super) async fn redeem(
    app: &BrowserApp,
    attempt: &Attempt,
    code: &str,
    caller: &Caller,
    now: Timestamp,
) -> Result<First, AppRefused> {
    let uri = app.redirect_uri();
    let form = [
        (parameter::GRANT_TYPE, GrantType::AuthorizationCode.as_str()),
        (parameter::CODE, code),
        (parameter::REDIRECT_URI, &uri),
        (parameter::CODE_VERIFIER, attempt.verifier()),
    ];
    let (answer, who) = ask(app, &form, caller, now).await?;
    let id_token = answer.id_token.clone();
    Ok(First { kept: Kept::of(answer, now), id_token, who })
}

/// Newer tokens (RFC 6749 §6); `None` when there is nothing to renew them with.
pub(super) async fn renew(
    app: &BrowserApp,
    kept: &Kept,
    now: Timestamp,
) -> Result<Option<Kept>, AppRefused> {
    let Some(refresh_token) = &kept.refresh_token else { return Ok(None) };
    let form = [
        (parameter::GRANT_TYPE, GrantType::RefreshToken.as_str()),
        (parameter::REFRESH_TOKEN, refresh_token.expose()),
    ];
    let (answer, _) = ask(app, &form, &Caller::default(), now).await?;
    Ok(Some(Kept::of(answer, now)))
}

async fn ask(
    app: &BrowserApp,
    form: &[(&str, &str)],
    caller: &Caller,
    now: Timestamp,
) -> Result<(Answer, Who), AppRefused> {
    let authority = app.authority();
    let client =
        AuthenticatedClient::of_this_process(authority, &app.settings().client, now).await?;
    // There is no sender but this process, and it shows nothing.
    if client.is_public() || fitness::is_bound(authority, client.client()) {
        return Err(AppRefused::ClientUnfit);
    }
    let mut parameters = Parameters::default();
    for (name, value) in form {
        parameters.set(name, value);
    }
    let (client, parameters) = (&client, &parameters);
    let request = TokenRequest { client, parameters, caller, jkt: None, now };
    let grant_type = grant::grant_type(parameters)?;
    let decided = grant::decide(authority, &request, grant_type).await;
    observe(authority, &request, &decided);
    let granted = decided?;
    let answer = serde_json::from_slice(&granted.body).map_err(|_| AppRefused::Unreadable)?;
    Ok((answer, granted.who))
}

// === impl Kept ===

impl Kept {
    fn of(answer: Answer, now: Timestamp) -> Self {
        let life = Duration::from_secs(answer.expires_in);
        let expires_at = now.plus(life);
        let renew_at = expires_at.minus(AHEAD.min(life / 4));
        let Answer { access_token, refresh_token, .. } = answer;
        Self { access_token, refresh_token, renew_at, expires_at }
    }

    pub(super) fn read(stored: &Secret) -> Result<Self, AppRefused> {
        let stored: Stored =
            serde_json::from_str(stored.expose()).map_err(|_| AppRefused::Unreadable)?;
        Ok(Self {
            access_token: stored.access_token,
            refresh_token: stored.refresh_token,
            renew_at: Timestamp::from_millis(stored.renew_at),
            expires_at: Timestamp::from_millis(stored.expires_at),
        })
    }

    /// As it is stored.
    pub(super) fn written(&self) -> Secret {
        let text = json!({
            "access_token": self.access_token.expose(),
            "refresh_token": self.refresh_token.as_ref().map(Secret::expose),
            "renew_at": self.renew_at.as_millis(),
            "expires_at": self.expires_at.as_millis(),
        });
        Secret::new(text.to_string())
    }
}
