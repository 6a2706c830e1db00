//! NGINX, by `auth_request`.

use std::process::Command;

use crate::interop::variable;
use crate::support::neighbour::Neighbour;

/// Where NGINX keeps what it would keep below `/var`, for whoever runs the tests.
const PLACES: &str = "http {\n    access_log off;\n    client_body_temp_path body;\n    \
    proxy_temp_path proxy;\n    fastcgi_temp_path fastcgi;\n    uwsgi_temp_path uwsgi;\n    \
    scgi_temp_path scgi;\n";

#[test]
fn nginx_asks() {
    super::tell(Neighbour::start("nginx", |folder| {
        let file = folder.join("nginx.conf");
        let text = std::fs::read_to_string(&file).expect("recipe");
        std::fs::write(&file, text.replacen("http {\n", PLACES, 1)).expect("recipe");
        let mut command = Command::new(variable("TOKENWARD_NGINX"));
        command.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr"]);
        command.args(["-g", "daemon off; pid nginx.pid;"]);
        command
    }));
}
