//! What `dev` prints and leaves behind: where things are, and five commands to try.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use super::demo::{Credentials, Demo};
use crate::admin_client::Door;
use crate::command::Failure;

/// The one line of `--json`.
pub(super) fn line(demo: &Demo, credentials: &Credentials) -> String {
    json!({
        "issuer": demo.issuer,
        "gateway": demo.gateway,
        "admin": demo.admin,
        "upstream": demo.upstream,
        "admin_token": credentials.admin_token.expose(),
        "initial_access_token": credentials.initial_access_token.expose(),
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret.expose(),
        "username": credentials.username,
        "password": credentials.password.expose(),
        "data_dir": demo.data_dir,
    })
    .to_string()
}

/// The page for people.
pub(super) fn page(demo: &Demo, credentials: &Credentials) -> String {
    let commands: Vec<String> = commands(demo, credentials)
        .into_iter()
        .enumerate()
        .map(|(number, (what, command))| format!("  # {}. {what}\n  {command}", number + 1))
        .collect();
    format!(
        "Tokenward is ready.\n\n\
         \x20 authority   {issuer}\n\
         \x20 gateway     {gateway}  (in front of {upstream})\n\
         \x20 admin       {admin}\n\
         \x20 data        {data}\n\n\
         \x20 client_id   {client}      client_secret   {secret}\n\
         \x20 username    {username}      password        {password}\n\
         \x20 initial access token for dynamic registration and admin token: --json prints them\n\n\
         Try it, in another terminal (also in {data}/try.sh):\n\n{commands}\n\n\
         Ctrl-C stops it.",
        issuer = demo.issuer,
        gateway = demo.gateway,
        upstream = demo.upstream,
        admin = demo.admin,
        data = demo.data_dir.display(),
        client = credentials.client_id,
        secret = credentials.client_secret.expose(),
        username = credentials.username,
        password = credentials.password.expose(),
        commands = commands.join("\n\n"),
    )
}

/// Leaves the admin API's address for the command line, and the commands as a script.
///
/// # Errors
/// [`Failure`] when the data folder cannot be written.
pub(super) fn leave_behind(demo: &Demo, credentials: &Credentials) -> Result<(), Failure> {
    let door = Door {
        admin: demo.admin.clone(),
        admin_token: credentials.admin_token.expose().to_owned(),
    };
    let door = serde_json::to_vec(&door).map_err(Failure::new)?;
    write_private(&Door::path(&demo.data_dir), &door)?;
    let script: Vec<String> = commands(demo, credentials)
        .into_iter()
        .map(|(what, command)| format!("# {what}\n{command}\n"))
        .collect();
    write_private(&demo.data_dir.join("try.sh"), script.join("\n").as_bytes())
}

/// Five commands with what each is for.
fn commands(demo: &Demo, credentials: &Credentials) -> [(&'static str, String); 5] {
    let Demo { issuer, gateway, data_dir, .. } = demo;
    let (client, secret) = (credentials.client_id, credentials.client_secret.expose());
    let program =
        std::env::current_exe().map_or_else(|_| "tokenward".to_owned(), |path| quoted(&path));
    let data = quoted(data_dir);
    // An API of one's own may have no orders.
    let (list, member) = if demo.own_upstream { ("/", "/") } else { ("/orders", "/orders/1001") };
    [
        (
            "get a token",
            format!(
                "TOKEN=$(curl -s -u {client}:{secret} -d grant_type=client_credentials {issuer}/token \
                 | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            ),
        ),
        (
            "call the API with it",
            format!("curl -s -H \"Authorization: Bearer $TOKEN\" {gateway}{member}; echo"),
        ),
        (
            "see it refused where it has no scope",
            format!(
                "curl -si -X DELETE -H \"Authorization: Bearer $TOKEN\" {gateway}{member}; echo"
            ),
        ),
        (
            "attack it: the same claims in forged, unsigned tokens",
            format!(
                "for n in 1 2 3; do curl -s -o /dev/null -w '%{{http_code}}\\n' -H \"Authorization: Bearer \
                 eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.$(echo $TOKEN | cut -d. -f2).\" {gateway}{list}; done"
            ),
        ),
        (
            "see it taken back: the finding, and the attacker's network blocked \
             (`finding undo ID` lets it in again)",
            format!(
                "sleep 1; {program} finding list --data-dir {data}; \
                 curl -s -H \"Authorization: Bearer $TOKEN\" {gateway}{list}; echo"
            ),
        ),
    ]
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn write_private(file: &Path, content: &[u8]) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::new(format_args!("{}: {error}", file.display()));
    let mut opened = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .map_err(cannot)?;
    opened.write_all(content).map_err(cannot)
}
