//! Applications in browsers: the gateway serves their origin, the authority keeps their tokens.

use std::net::IpAddr;
use std::sync::Arc;

use authority::Authority;
use authority::browser_app::{BrowserApp, BrowserAppSettings, PREFIX};
use gateway::{Answering, AppServer};
use http::{Request, Response};
use token::reference::Unavailable;
use token::scope::ScopeSet;
use token::secret::Secret;
use url::Url;

use crate::command::Failure;
use crate::config;

/// The authority's side, as the gateway asks it.
struct Server(BrowserApp);

/// The applications of a gateway with this resource identifier.
///
/// # Errors
/// [`Failure`] names what is wrong.
pub(super) fn all(
    part: &config::Gateway,
    resource: &str,
    authority: &Authority,
) -> Result<Vec<gateway::BrowserApp>, Failure> {
    part.browser_apps.iter().map(|app| one(app, resource, authority)).collect()
}

fn one(
    app: &config::BrowserApp,
    resource: &str,
    authority: &Authority,
) -> Result<gateway::BrowserApp, Failure> {
    let own = || Url::parse(resource).map(|url| url.origin().ascii_serialization());
    let origin = match &app.origin {
        Some(origin) => origin.clone(),
        None => own().map_err(Failure::new)?,
    };
    let settings = BrowserAppSettings {
        origin: origin.clone(),
        client: app.client.as_str().into(),
        scopes: ScopeSet::parse(&app.scopes).map_err(Failure::new)?,
        resource: resource.to_owned(),
    };
    let server = BrowserApp::new(authority.clone(), settings).map_err(Failure::new)?;
    tokio::spawn(tell_unfit(server.clone()));
    Ok(gateway::BrowserApp {
        origin,
        prefix: PREFIX.to_owned(),
        session_cookie: server.session_cookie(),
        other_cookies: vec![server.attempt_cookie()],
        server: Arc::new(Server(server)),
    })
}

/// Its client may be registered or mended later: a warning, and no reason not to start.
async fn tell_unfit(app: BrowserApp) {
    for fault in app.unfit().await.unwrap_or_default() {
        tracing::warn!(client = %app.client(), %fault, "nobody can sign in to a browser application");
    }
}

impl AppServer for Server {
    fn answer<'a>(
        &'a self,
        request: &'a Request<()>,
        ip: IpAddr,
    ) -> Answering<'a, Response<String>> {
        Box::pin(self.0.answer(request, ip))
    }

    fn access_token<'a>(
        &'a self,
        cookie: &'a str,
    ) -> Answering<'a, Result<Option<Secret>, Unavailable>> {
        Box::pin(self.0.access_token(cookie))
    }
}
