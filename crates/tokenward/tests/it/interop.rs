//! Clients that we did not write: npm and PyPI libraries and a browser against the real program.
//!
//! `cargo xtask test` installs them and says where in variables; without them these tests fail.

use std::path::PathBuf;
use std::process::Command;

use crate::support::port::free_port;
use crate::support::{PROGRAM, Product, browser, dev, output_of, root};

pub(crate) fn variable(name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "set by `cargo xtask test`")]
    let value = std::env::var(name);
    PathBuf::from(value.unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`")))
}

fn run(mut command: Command, product: &Product) {
    command
        .env("ISSUER", product.said("issuer"))
        .env("GATEWAY", product.said("gateway"))
        .env("CLIENT_ID", product.said("client_id"))
        .env("CLIENT_SECRET", product.said("client_secret"))
        .env("ADMIN", product.said("admin"))
        .env("ADMIN_TOKEN", product.said("admin_token"))
        .env("INITIAL_ACCESS_TOKEN", product.said("initial_access_token"))
        .env("USERNAME", product.said("username"))
        .env("PASSWORD", product.said("password"))
        .env("CHROMIUM", variable("TOKENWARD_CHROMIUM"))
        .env("TOKEN", product.access_token());
    let said = output_of(&mut command);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}

fn node(script: &str) {
    run(node_script(script), &Product::start());
}

/// Against a product whose issuer has a name.
fn node_at_localhost(script: &str) {
    let mut command = Command::new(PROGRAM);
    let listen = format!("127.0.0.1:{}", free_port());
    command.env("TOKENWARD_AUTHORITY__ISSUER", listen.replace("127.0.0.1", "http://localhost"));
    command.args(["dev", "--json", "--ephemeral", "--authority-listen", &listen]);
    command.args(["--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    run(node_script(script), &Product::of(&mut command));
}

/// Against a product that takes clients whom nobody registered: it fetches what they publish on this
/// machine, or they register themselves.
fn node_unregistered(script: &str) {
    let mut command = dev(&["--json", "--ephemeral"]);
    command.env("TOKENWARD_AUTHORITY__REACH", r#"["127.0.0.0/8"]"#);
    command.env("TOKENWARD_AUTHORITY__REGISTRATION__POLICY", "open");
    run(node_script(script), &Product::of(&mut command));
}

/// A script of `interop/node`, ready to run.
pub(crate) fn node_script(script: &str) -> Command {
    let modules = variable("TOKENWARD_INTEROP_NODE");
    // ES modules are looked up beside the script.
    let folder = modules.join("scripts");
    std::fs::create_dir_all(&folder).expect("folder");
    for entry in std::fs::read_dir(root().join("interop/node")).expect("scripts") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|ending| ending == "mjs") {
            let to = folder.join(path.file_name().expect("name"));
            let wanted = std::fs::read(&path).expect("script");
            if std::fs::read(&to).ok().as_ref() != Some(&wanted) {
                // At once: another test may be reading it.
                let copy = tempfile::NamedTempFile::new_in(&folder).expect("copy");
                std::fs::write(copy.path(), wanted).expect("copy");
                copy.persist(&to).expect("copy");
            }
        }
    }
    let mut command = Command::new("node");
    command.arg(folder.join(script));
    command
}

fn python(script: &str) {
    run(python_script(script), &Product::start());
}

/// A script of `interop/python`, ready to run.
pub(crate) fn python_script(script: &str) -> Command {
    let mut command = Command::new(variable("TOKENWARD_INTEROP_PYTHON"));
    command.arg(root().join("interop/python").join(script));
    command
}

#[test]
fn a_person_at_chromium() {
    node("chromium.mjs");
}

#[test]
fn a_person_with_a_second_factor_at_chromium() {
    node("second-factor.mjs");
}

/// Passkeys belong to a name, which an address is not.
#[test]
fn a_person_with_a_passkey_at_chromium() {
    node_at_localhost("passkeys.mjs");
}

#[test]
fn a_person_looks_after_their_account_at_chromium() {
    node_at_localhost("account.mjs");
}

#[test]
fn a_person_whose_password_is_guessed_at_chromium() {
    node_at_localhost("guessing.mjs");
}

#[test]
fn every_page_in_every_language_at_chromium() {
    node_at_localhost("languages.mjs");
}

#[test]
fn npm_openid_client() {
    node("openid-client.mjs");
}

#[test]
fn npm_openid_client_registers_where_the_door_is_open() {
    let mut command = dev(&["--json", "--ephemeral"]);
    command.env("TOKENWARD_AUTHORITY__REGISTRATION__POLICY", "open");
    run(node_script("open-registration.mjs"), &Product::of(&mut command));
}

#[test]
fn npm_oauth4webapi() {
    node("oauth4webapi.mjs");
}

#[test]
fn npm_clients_with_dpop() {
    node("dpop.mjs");
}

#[test]
fn npm_openid_client_with_keys() {
    node("keys.mjs");
}

#[test]
fn npm_openid_client_as_a_device() {
    node("device.mjs");
}

#[test]
fn npm_openid_client_by_the_back_channel() {
    node("ciba.mjs");
}

#[test]
fn npm_openid_client_with_signed_requests_and_answers() {
    node("signed-requests.mjs");
}

#[test]
fn npm_openid_client_signs_out() {
    node("logout.mjs");
}

#[test]
fn npm_openid_client_trades_tokens() {
    node("token-exchange.mjs");
}

#[test]
fn npm_openid_client_under_fapi_2() {
    node("fapi2.mjs");
}

#[test]
fn npm_openid_client_registers_itself() {
    node("registration.mjs");
}

#[test]
fn npm_oauth4webapi_with_signed_introspection() {
    node("introspection-jwt.mjs");
}

#[test]
fn npm_oidc_client_ts_in_chromium() {
    node("oidc-client-ts.mjs");
}

#[test]
fn npm_conformance_suite_of_the_model_context_protocol() {
    node("mcp-conformance.mjs");
}

#[test]
fn npm_client_of_the_model_context_protocol() {
    node_unregistered("mcp-client.mjs");
}

#[test]
fn npm_jose() {
    node("jose.mjs");
}

#[test]
fn pypi_authlib() {
    python("authlib_client.py");
}

#[test]
fn pypi_requests_oauthlib() {
    python("requests_oauthlib_client.py");
}

#[test]
fn pypi_joserfc() {
    python("joserfc_verify.py");
}

#[test]
fn pypi_schemathesis_against_both_documents() {
    let product = Product::start();
    let person = browser::sign_in(&product, "openid profile email");
    let mut command = python_script("schemathesis_documents.py");
    command.env("PERSON_TOKEN", person["access_token"].as_str().expect("access token"));
    run(command, &product);
}
