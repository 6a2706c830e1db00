//! The authorization code, and the grant that begins when it is redeemed (RFC 6749 §4.1.2).

use store::{Code, Grant, StoreError};
use token::id::GrantId;
use token::opaque::{Family, OpaqueHash};
use token::secret::Secret;

use super::Evaluated;
use super::agreement::Given;
use crate::endpoint::visit::Visit;
use crate::login::session::SignedIn;
use crate::pushed;
use crate::rule::profile;

/// Makes and keeps a code for somebody who has agreed; `None` when the request was pushed, and answered
/// before.
pub(super) async fn issue(
    visit: &Visit,
    evaluated: &Evaluated,
    person: &SignedIn,
    given: &Given,
) -> Result<Option<(Secret, GrantId)>, StoreError> {
    let (settings, random) = (visit.authority.settings(), visit.authority.random());
    let (now, session) = (visit.now, person.session());
    let code = Family::Code.generate(random);
    let grant = GrantId::generate(random);
    let row = Code {
        hash: OpaqueHash::of(code.expose()),
        grant: Grant {
            id: grant.clone(),
            client: evaluated.client.id.clone(),
            subject: person.user().id.clone(),
            session: Some(session.id.clone()),
            scopes: given.scopes.clone(),
            audiences: evaluated.demand.audiences.clone(),
            auth_time: session.auth_time,
            amr: session.amr.clone(),
            details: evaluated.demand.details.clone(),
            claims: given.claims.clone(),
            jkt: evaluated.demand.jkt.clone(),
            created_at: now,
            expires_at: now.plus(profile::shorter(
                settings.refresh_absolute_life,
                evaluated.client.options.refresh_absolute_life,
            )),
        },
        redirect_uri: evaluated.return_to.uri().to_owned(),
        redirect_uri_sent: evaluated.return_to.was_sent(),
        challenge: evaluated.demand.challenge.clone(),
        nonce: evaluated.demand.nonce.clone(),
        expires_at: now.plus(settings.code_life),
    };
    let store = visit.authority.store();
    let saved = match &evaluated.pushed {
        Some(uri) => store.save_code_of_pushed(&row, &pushed::name(uri), now).await?,
        None => store.save_code(&row).await.map(|()| true)?,
    };
    Ok(saved.then_some((code, grant)))
}
