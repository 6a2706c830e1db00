//! A server of the Model Context Protocol behind the gateway: nothing of the protocol is lost on the way, and
//! nothing passes without a token.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::interop::node_script;
use crate::support::output_of;
use crate::support::served::Served;

/// The server; ended when dropped.
struct McpServer {
    child: Child,
    port: u64,
}

// === impl McpServer ===

impl McpServer {
    fn start() -> Self {
        let mut command = node_script("mcp-server.mjs");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("stdout");
        BufReader::new(out).read_line(&mut line).expect("line");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        Self { child, port: said["port"].as_u64().expect("port") }
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_passes_the_suite_through_the_gateway() {
    let server = McpServer::start();
    let served = Served::start_with(
        "challenge_scopes = true",
        &format!(
            "[gateway.upstreams.mcp]\nservers = [\"http://127.0.0.1:{}\"]\n\
             [[gateway.route]]\npath = \"/mcp\"\nscopes = [\"tools\"]\nupstream = \"mcp\"\n\
             [[scope]]\nname = \"tools\"\ndescription = \"Use tools\"\n",
            server.port
        ),
    );
    let (id, secret) = served.client(json!({
        "client_name": "assistant", "grant_types": ["client_credentials"], "scope": "tools",
    }));
    let parameters = [("grant_type", "client_credentials"), ("scope", "tools")];
    let url = served.issuer("/token");
    let answer = served.http.post_form(&url, Some((&id, &secret)), &parameters).expect(200);
    let mut command = node_script("mcp-conformance-server.mjs");
    command.env("GATEWAY", served.gateway("")).env("ISSUER", served.issuer(""));
    command.env("TOKEN", answer["access_token"].as_str().expect("token"));
    let said = output_of(&mut command);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}
