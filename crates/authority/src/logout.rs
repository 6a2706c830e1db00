//! The end of a sign-in session, told to every client that took part in it (OpenID Connect Back-Channel Logout 1.0).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use remote::Fetcher;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Client, GrantsOf, Identity, NewRestriction, Session, StoreError};
use token::event::{EventKind, Who};
use token::id::{ClientId, SessionId, SubjectId, TokenId};
use token::jwk::BadKey;
use token::restriction::{Effect, Selector};
use token::term::token_type;
use token::time::Timestamp;
use url::Url;

use crate::caller::Caller;
use crate::signed_answer;
use crate::state::Authority;

/// The event that makes a logout token one (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token is good (§4 recommends at most two minutes).
const LIFE: Duration = Duration::from_mins(2);
/// Tries to reach a client, each after a longer wait.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(15)];
/// Grants of a session that are looked at; their clients are told.
const MOST_GRANTS: usize = 1000;

/// §2.4.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a SubjectId,
    aud: &'a ClientId,
    iat: i64,
    exp: i64,
    jti: TokenId,
    sid: &'a SessionId,
    events: Value,
}

/// Ends a session: its cookie, its grants and its tokens, and tells its clients, without waiting for
/// them. Grants with `offline_access` stay (§2.7).
///
/// # Errors
/// [`StoreError`] when state cannot be written; nobody is told then.
pub(crate) async fn end(
    authority: &Authority,
    session: &Session,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let store = authority.store();
    let grants = store.grants_of(GrantsOf::Session(&session.id), now, MOST_GRANTS).await?;
    let clients: BTreeSet<ClientId> = grants.into_iter().map(|grant| grant.client).collect();
    if !store.end_session(&session.id, actor, now).await? {
        return Ok(());
    }
    for id in clients {
        let client = store.client(&id).await?;
        let Some(client) = client.filter(|client| client.options.backchannel_logout_uri.is_some())
        else {
            continue;
        };
        if let Err(error) = tell(authority, &client, session, now) {
            tracing::error!(client = %client.id, cause = %error, "a client is not told of a logout");
        }
    }
    Ok(())
}

/// Ends every session that stands on an identity at a provider, but for `kept`.
///
/// # Errors
/// [`StoreError`] when state cannot be written.
pub(crate) async fn end_by_identity(
    authority: &Authority,
    identity: &Identity,
    kept: Option<&SessionId>,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (store, subject) = (authority.store(), Some(identity.provider_subject.as_str()));
    let sessions = store.sessions_by_provider(&identity.provider, subject, None, now).await?;
    let own = |session: &&Session| session.subject == identity.subject;
    for session in sessions.iter().filter(own).filter(|session| Some(&session.id) != kept) {
        end(authority, session, actor, now).await?;
    }
    Ok(())
}

/// Ends every session of a person; the number of those that there were.
///
/// # Errors
/// [`StoreError`] when state cannot be written.
pub(crate) async fn end_all(
    authority: &Authority,
    subject: &SubjectId,
    actor: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sessions = authority.store().sessions_of(subject, now).await?;
    for session in &sessions {
        end(authority, session, actor, now).await?;
    }
    Ok(sessions.len())
}

/// Ends every session of a person and revokes every token of theirs that was made until now, and tells the
/// watcher.
///
/// # Errors
/// [`StoreError`] when state cannot be written.
pub(crate) async fn everywhere(
    authority: &Authority,
    caller: &Caller,
    subject: &SubjectId,
    actor: &str,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_all(authority, subject, actor, now).await?;
    let selector = Selector::Subject(subject.clone());
    let restriction = NewRestriction {
        selector: selector.clone(),
        effect: Effect::Revoke,
        from: now,
        until: None,
        reason: reason.to_owned(),
        actor: actor.to_owned(),
    };
    authority.store().restrict(restriction, now).await?;
    let kind = EventKind::Revoke {
        result: "ok".to_owned(),
        selector: Some(selector.to_string()),
        actor: Some(actor.to_owned()),
        reason: Some(reason.to_owned()),
    };
    let who = Who { subject: Some(subject.clone()), ..Who::default() };
    authority.emit(caller, who, kind, now);
    Ok(())
}

fn tell(
    authority: &Authority,
    client: &Arc<Client>,
    session: &Session,
    now: Timestamp,
) -> Result<(), BadKey> {
    let Some(fetcher) = authority.fetcher().cloned() else {
        tracing::warn!(client = %client.id, "a client is not told of a logout: nothing is fetched");
        return Ok(());
    };
    let claims = Claims {
        iss: &authority.settings().issuer,
        sub: &session.subject,
        aud: &client.id,
        iat: now.as_secs(),
        exp: now.plus(LIFE).as_secs(),
        jti: TokenId::generate(now, authority.random()),
        sid: &session.id,
        events: json!({ EVENT: {} }),
    };
    let (options, kind) = (&client.options, token_type::LOGOUT_TOKEN);
    let wanted = options.id_token_signed_response_alg;
    let token = signed_answer::sign(authority, options, wanted, kind, &claims)?;
    tokio::spawn(send(fetcher, Arc::clone(client), token));
    Ok(())
}

/// §2.5 and §2.8: until the client has taken it, or has refused it for good.
async fn send(fetcher: Fetcher, client: Arc<Client>, token: String) {
    let uri = client.options.backchannel_logout_uri.as_deref();
    let Some(url) = uri.and_then(|uri| Url::parse(uri).ok()) else { return };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("logout_token", &token)
        .finish();
    for wait in WAITS {
        tokio::time::sleep(wait).await;
        match fetcher.post_form(&url, form.clone(), HeaderMap::new()).await {
            Ok(answer) if answer.status.is_success() => return,
            Ok(answer) if answer.status.is_client_error() => {
                tracing::warn!(client = %client.id, status = %answer.status, "a logout is refused");
                return;
            }
            Ok(answer) => {
                tracing::warn!(client = %client.id, status = %answer.status, "a logout is not taken");
            }
            Err(error) => {
                tracing::warn!(client = %client.id, %error, "a client cannot be told of a logout");
            }
        }
    }
}
