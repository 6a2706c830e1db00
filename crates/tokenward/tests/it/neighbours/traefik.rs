//! Traefik, by `forwardAuth`.

use std::process::Command;

use crate::interop::variable;
use crate::support::neighbour::Neighbour;

#[test]
fn traefik_asks() {
    super::tell(Neighbour::start("traefik", |_| {
        let mut command = Command::new(variable("TOKENWARD_TRAEFIK"));
        command.arg("--configFile=traefik.yaml");
        command
    }));
}
