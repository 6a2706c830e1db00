//! HAProxy, by the Lua of the recipe.

use std::process::Command;

use crate::interop::variable;
use crate::support::neighbour::Neighbour;

#[test]
fn haproxy_asks() {
    super::tell(Neighbour::start("haproxy", |_| {
        let mut command = Command::new(variable("TOKENWARD_HAPROXY"));
        command.args(["-f", "haproxy.cfg"]);
        command
    }));
}
