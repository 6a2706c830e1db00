//! A tonic server behind the layer, and a tonic client.

use http::HeaderValue;
use serde_json::json;
use tonic::codegen::InterceptedService;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Issuer, PATIENCE};

async fn ask(address: &str, token: Option<String>) -> Result<i32, Status> {
    let channel = Channel::from_shared(address.to_owned()).expect("address").connect().await;
    let with_token = move |mut request: Request<()>| {
        if let Some(token) = &token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("value");
            let value = value.to_str().expect("text").parse().expect("metadata");
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    };
    let service = InterceptedService::new(channel.expect("channel"), with_token);
    let answer = HealthClient::new(service).check(HealthCheckRequest::default()).await?;
    Ok(answer.into_inner().status)
}

#[tokio::test]
async fn refusals_are_statuses_of_grpc() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().expect("verifier");
    verifier.ready(PATIENCE).await.expect("ready");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    let (_reporter, health) = tonic_health::server::health_reporter();
    let layer = verifier.require(["orders:read"]).expect("scopes");
    let incoming = async_stream(listener);
    let server = Server::builder().layer(layer).add_service(health);
    tokio::spawn(server.serve_with_incoming(incoming));

    assert_eq!(ask(&address, Some(issuer.token())).await.expect("served"), 1);
    let refused = |token| {
        let address = address.clone();
        async move { ask(&address, token).await.expect_err("refused") }
    };
    let none = refused(None).await;
    assert_eq!(none.code(), Code::Unauthenticated);
    assert!(none.message().contains("access token is needed"), "{}", none.message());
    let narrow = issuer.token_with("scope", json!("other"));
    assert_eq!(refused(Some(narrow)).await.code(), Code::PermissionDenied);
    assert_eq!(refused(Some("abc".to_owned())).await.code(), Code::Unauthenticated);
}

/// Connections as they come.
fn async_stream(
    listener: tokio::net::TcpListener,
) -> impl futures_util::Stream<Item = std::io::Result<tokio::net::TcpStream>> {
    futures_util::stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    })
}
