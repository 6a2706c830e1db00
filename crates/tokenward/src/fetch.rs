//! One HTTP exchange of the command line: bounded in time and size, no redirect followed.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

use crate::command::Failure;

const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a request; `place` is how a failure names the server.
///
/// # Errors
/// [`Failure`] when no whole answer comes within 30 seconds.
pub(crate) fn send(
    runtime: &Runtime,
    request: Request<Full<Bytes>>,
    place: &str,
) -> Result<(StatusCode, Bytes), Failure> {
    let exchanged =
        runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange(request)).await });
    let too_late = |_| Failure::new(format_args!("{place} did not answer within 30 seconds"));
    exchanged.map_err(too_late)?.map_err(|error| {
        let mut cause: &dyn Error = &*error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        Failure::new(format_args!(
            "{place} cannot be reached: {cause} (is a server running there?)"
        ))
    })
}

async fn exchange(
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_native_roots()?
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let response = client.request(request).await?;
    let status = response.status();
    let bytes = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await?.to_bytes();
    Ok((status, bytes))
}
