//! Caddy, by `forward_auth`.

use std::process::Command;

use crate::interop::variable;
use crate::support::neighbour::Neighbour;

#[test]
fn caddy_asks() {
    super::tell(Neighbour::start("caddy", |folder| {
        let mut command = Command::new(variable("TOKENWARD_CADDY"));
        command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
        // Where it keeps what it would keep at home.
        command.env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
        command.stderr(std::process::Stdio::null());
        command
    }));
}
