//! Which client asks (RFC 6749 §4.1.1): known, and not turned away.

use std::sync::Arc;

use store::Client;
use token::id::ClientId;
use token::term::parameter;

use super::refusal::{PageRefused, shown};
use crate::client_auth::is_suspended;
use crate::endpoint::visit::Visit;
use crate::metadata_document;
use crate::parameters::Parameters;

/// Finds the client. One that is turned away gets no answer at its redirect URI either: nobody
/// may be sent there any more.
pub(super) async fn identify(
    visit: &Visit,
    parameters: &Parameters,
) -> Result<Arc<Client>, PageRefused> {
    let text = parameters.value(parameter::CLIENT_ID).ok_or(PageRefused::ClientMissing)?;
    let (id, store) = (ClientId::from(text), visit.authority.store());
    let client = metadata_document::find(&visit.authority, &id, visit.now).await?;
    let client = client.ok_or_else(|| PageRefused::ClientUnknown(shown(text)))?;
    if client.disabled || is_suspended(store, &client.id, visit.now) {
        return Err(PageRefused::ClientDisabled(client.id.clone()));
    }
    Ok(client)
}
