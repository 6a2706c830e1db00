//! Whether the client of an application can get tokens for it, said before the first person signs in.

use store::{Client, StoreError};
use token::id::ClientId;
use token::term::{ClientAuthMethod, GrantType};

use crate::browser_app::BrowserApp;
use crate::rule::profile;
use crate::state::Authority;

/// What is wrong with an application's client, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Its tokens would be for whoever shows a key or a certificate beside them.
    #[error("its tokens are bound to a key or a certificate, and a browser has a cookie alone")]
    Bound,
    /// It was turned off.
    #[error("it is disabled")]
    Disabled,
    /// It cannot be asked for a code.
    #[error("it needs the grant type `authorization_code`")]
    GrantType,
    /// Nobody registered it.
    #[error("there is no such client; register one with the redirect URI `{0}`")]
    Missing(String),
    /// It has nothing to show at the token endpoint.
    #[error("it is public; only a confidential client keeps tokens in a server")]
    Public,
    /// People would not be sent back.
    #[error("`{0}` is not among its redirect URIs")]
    RedirectUri(String),
    /// It would be given less than it asks for.
    #[error("it may not ask for the scope `{0}`")]
    Scope(String),
}

/// Whether a client's tokens are of use to one who has nothing to show beside them.
pub(super) fn is_bound(authority: &Authority, client: &Client) -> bool {
    let options = &client.options;
    options.dpop_bound_access_tokens
        || options.tls_client_certificate_bound_access_tokens
        || profile::is_fapi2(authority.settings(), options)
}

impl BrowserApp {
    /// The client that it acts as.
    pub fn client(&self) -> &ClientId {
        &self.settings().client
    }

    /// Everything that keeps its client from getting tokens for it, as the client is now: it can be
    /// registered and mended while the server runs.
    ///
    /// # Errors
    /// [`StoreError`] when the client cannot be read.
    pub async fn unfit(&self) -> Result<Vec<Unfit>, StoreError> {
        let client = self.authority().store().client(self.client()).await?;
        let Some(client) = client else { return Ok(vec![Unfit::Missing(self.redirect_uri())]) };
        let reach = self.authority().settings().ladder.reach(&client.scopes);
        let refused = self.settings().scopes.difference(&reach);
        let faults = [
            client.disabled.then_some(Unfit::Disabled),
            (client.auth_method == ClientAuthMethod::None).then_some(Unfit::Public),
            is_bound(self.authority(), &client).then_some(Unfit::Bound),
            (!client.grant_types.contains(&GrantType::AuthorizationCode))
                .then_some(Unfit::GrantType),
            (!client.redirect_uris.contains(&self.redirect_uri()))
                .then(|| Unfit::RedirectUri(self.redirect_uri())),
        ];
        let scopes = refused.iter().map(|scope| Unfit::Scope(scope.to_owned()));
        Ok(faults.into_iter().flatten().chain(scopes).collect())
    }
}
