//! Envoy, by `ext_authz`: gRPC, and HTTP.

use std::process::Command;

use crate::interop::variable;
use crate::support::neighbour::Neighbour;

fn envoy(recipe: &str) -> Neighbour {
    Neighbour::start("envoy", |folder| {
        let mut command = Command::new(variable("TOKENWARD_ENVOY"));
        command.arg("-c").arg(folder.join(recipe)).args(["--concurrency", "1"]);
        command.args(["--use-dynamic-base-id", "--log-level", "error"]);
        command
    })
}

#[test]
fn envoy_asks_by_grpc() {
    super::tell(envoy("grpc.yaml"));
}

#[test]
fn envoy_asks_over_http() {
    super::tell(envoy("http.yaml"));
}
