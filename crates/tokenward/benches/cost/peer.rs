//! Peers for the same load, where they are installed: nginx, Envoy, oidc-provider.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::background;
use crate::served::{await_port, free_address};

pub(crate) struct Peer {
    child: Child,
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Peer {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn start(command: &mut Command, address: String, folder: tempfile::TempDir) -> Self {
        let child = background(command);
        await_port(&address);
        Self { child, address, _folder: folder }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // TERM first: nginx's workers outlive a killed master.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn found(program: &str) -> Option<PathBuf> {
    let output = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// nginx as a plain reverse proxy, one worker.
pub(crate) fn nginx(upstream: &str) -> Option<Peer> {
    let program = found("nginx")
        .or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|path| path.exists()))?;
    let folder = tempfile::tempdir().ok()?;
    let address = free_address();
    let file = folder.path().join("nginx.conf");
    let text = format!(
        "daemon off; worker_processes 1; pid {0}/pid; error_log stderr crit; events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n\
         keepalive_requests 1000000000; upstream u {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header X-Forwarded-For $remote_addr; }} }} }}\n",
        folder.path().display()
    );
    std::fs::write(&file, text).ok()?;
    Some(Peer::start(
        Command::new(program).arg("-c").arg(&file).arg("-p").arg(folder.path()),
        address,
        folder,
    ))
}

/// What Envoy does with tokens.
pub(crate) enum Envoy<'a> {
    /// Nothing.
    Plain,
    /// Verifies ES256 tokens of this issuer with this key set, and remembers so many.
    Jwt { issuer: &'a str, jwks: &'a str, cache: usize },
}

/// Envoy as a reverse proxy, one worker.
pub(crate) fn envoy(upstream: &str, work: &Envoy<'_>) -> Option<Peer> {
    let program = installed_envoy().or_else(|| found("envoy"))?;
    let folder = tempfile::tempdir().ok()?;
    let address = free_address();
    let file = folder.path().join("envoy.json");
    std::fs::write(&file, envoy_config(&address, upstream, work)?.to_string()).ok()?;
    let mut command = Command::new(program);
    command
        .args(["--concurrency", "1", "--log-level", "critical", "--disable-hot-restart", "-c"])
        .arg(&file);
    Some(Peer::start(&mut command, address, folder))
}

/// The program inside the Python package that `cargo xtask bench` installs.
fn installed_envoy() -> Option<PathBuf> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop/peers/lib");
    let versions = std::fs::read_dir(peers).ok()?;
    let program = |version: PathBuf| version.join("site-packages/envoy/_bin/envoy");
    versions.flatten().map(|version| program(version.path())).find(|path| path.exists())
}

fn envoy_config(address: &str, upstream: &str, work: &Envoy<'_>) -> Option<Value> {
    const EXTENSIONS: &str = "type.googleapis.com/envoy.extensions.filters";
    let at = |address: &str| {
        let (host, port) = address.split_once(':')?;
        let port: u16 = port.parse().ok()?;
        Some(json!({ "socket_address": { "address": host, "port_value": port } }))
    };
    let mut filters = Vec::new();
    if let Envoy::Jwt { issuer, jwks, cache } = work {
        let provider = json!({
            "issuer": issuer, "forward": true, "local_jwks": { "inline_string": jwks },
            "jwt_cache_config": { "jwt_cache_size": cache },
        });
        filters.push(json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": format!("{EXTENSIONS}.http.jwt_authn.v3.JwtAuthentication"),
                "providers": { "p": provider },
                "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
            },
        }));
    }
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": format!("{EXTENSIONS}.http.router.v3.Router") },
    }));
    let manager = json!({
        "@type": format!("{EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "p",
        "route_config": { "virtual_hosts": [{
            "name": "v", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "u" } }],
        }] },
        "http_filters": filters,
    });
    let filter = json!({
        "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
    });
    Some(json!({ "static_resources": {
        "listeners": [{ "address": at(address)?, "filter_chains": [{ "filters": [filter] }] }],
        "clusters": [{
            "name": "u", "type": "STATIC",
            "load_assignment": {
                "cluster_name": "u",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": at(upstream)? } }] }],
            },
        }],
    } }))
}

/// node-oidc-provider, and what it gave to begin with.
pub(crate) struct OidcProvider {
    pub(crate) peer: Peer,
    /// Opaque access tokens of a person.
    pub(crate) access: Vec<String>,
    /// A refresh token that stays the same.
    pub(crate) refresh: String,
}

/// The name and secret in `provider.mjs`, for HTTP Basic.
pub(crate) const OIDC_CLIENT: &str = "Basic bG9hZDpsb2FkLXNlY3JldC1sb2FkLXNlY3JldA==";

/// node-oidc-provider as `provider.mjs` sets it up, on this processor alone if one is named.
pub(crate) fn oidc_provider(processor: Option<usize>) -> Option<OidcProvider> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop/node_modules");
    if !modules.join("oidc-provider").is_dir() {
        return None;
    }
    let folder = tempfile::tempdir_in(modules.parent()?).ok()?;
    let address = free_address();
    let file = folder.path().join("provider.mjs");
    std::fs::write(&file, include_str!("provider.mjs")).ok()?;
    let seed = folder.path().join("seed.json");
    let mut command = on_processor(processor, Path::new("node"));
    command.arg(&file).env("ADDRESS", &address).env("SEED", &seed);
    let peer = Peer::start(&mut command, address, folder);
    let seed: Value = await_seed(&seed)?;
    let access = seed["access"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
    let access = access.collect();
    Some(OidcProvider { peer, access, refresh: seed["refresh"].as_str()?.to_owned() })
}

/// It is written just after the port is open.
fn await_seed(path: &Path) -> Option<Value> {
    for _ in 0..2000 {
        if let Ok(text) = std::fs::read(path) {
            return serde_json::from_slice(&text).ok();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    None
}

/// A program, kept on one processor where one is named.
pub(crate) fn on_processor(processor: Option<usize>, program: &Path) -> Command {
    let Some(number) = processor else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.arg("-c").arg(number.to_string()).arg(program);
    command
}
