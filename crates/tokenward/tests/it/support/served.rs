//! `tokenward serve` with a configuration of the test's own, which can be killed and started again.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::http::Http;
use super::port::free_port;
use super::{PROGRAM, output_of, program};

/// Where it logs to, in its folder.
const LOG: &str = "log";

/// The program, its folder, and the ports that it has for all its lives.
pub(crate) struct Served {
    child: Child,
    folder: TempDir,
    ports: [u16; 3],
    admin_token: String,
    pub(crate) http: Http,
}

impl Served {
    /// Authority, gateway and admin API. `/healthz` of the admin API is behind the gateway with the
    /// scope `health`; `more` are further tables, in which `GATEWAY` stands for the gateway's origin.
    pub(crate) fn start(more: &str) -> Self {
        Self::start_with("", more)
    }

    /// The same with more members of `[gateway]`.
    pub(crate) fn start_with(members: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let ports = [0; 3].map(|_| free_port());
        let file = configure(&folder, ports, members, more);
        let check = ["config", "check", "-c", file.to_str().expect("path")];
        output_of(Command::new(PROGRAM).args(check));
        let token = ["admin-token", "-c", file.to_str().expect("path")];
        let admin_token = output_of(Command::new(PROGRAM).args(token));
        let admin_token = admin_token.lines().last().expect("token").trim().to_owned();
        let child = serve(&file);
        Self { child, folder, ports, admin_token, http: Http::new() }.listening()
    }

    /// Puts these tables into its configuration file while it runs.
    pub(crate) fn configure(&self, more: &str) {
        self.configure_with("", more);
    }

    /// The same with more members of `[gateway]`.
    pub(crate) fn configure_with(&self, members: &str, more: &str) {
        configure(&self.folder, self.ports, members, more);
    }

    /// Its configuration file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("tokenward.toml")
    }

    /// Sends a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        output_of(kill.arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    /// Runs a command of the program against it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("TOKENWARD_ADMIN_URL", self.admin(""));
        command.env("TOKENWARD_ADMIN_TOKEN", &self.admin_token).output().expect("runs")
    }

    /// What it has logged, where `more` has a table `[log]`.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join(LOG)).expect("a log");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends it at once, as a power cut would, and starts it again.
    pub(crate) fn restart(mut self, more: &str) -> Self {
        self.kill();
        let file = configure(&self.folder, self.ports, "", more);
        self.child = serve(&file);
        self.listening()
    }

    /// Ends it at once and starts it again as it was.
    pub(crate) fn again(mut self) -> Self {
        self.kill();
        self.child = serve(&self.folder.path().join("tokenward.toml"));
        self.listening()
    }

    /// Ends it at once, for good.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    fn listening(self) -> Self {
        for _ in 0..400 {
            if self.ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
                return self;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("it does not listen on {:?}", self.ports);
    }

    pub(crate) fn issuer(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[0])
    }

    pub(crate) fn gateway(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[1])
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports[2])
    }

    pub(crate) fn gateway_port(&self) -> u16 {
        self.ports[1]
    }

    /// The file of the store.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("tokenward.db")
    }

    /// Its resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("number")
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> &str {
        &self.admin_token
    }

    pub(crate) fn admin_call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://127.0.0.1:{}/api/v1{path}", self.ports[2]);
        let answer = self.http.json(method, &url, Some(&self.admin_token), body);
        assert!((200..300).contains(&answer.status), "{answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// A new client: id and secret.
    pub(crate) fn client(&self, body: Value) -> (String, String) {
        let made = self.admin_call("POST", "/clients", Some(body));
        let text = |name: &str| made[name].as_str().expect("text").to_owned();
        (text("client_id"), text("client_secret"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configure(
    folder: &TempDir,
    [authority, gateway, admin]: [u16; 3],
    members: &str,
    more: &str,
) -> PathBuf {
    let db = folder.path().join("tokenward.db");
    let more = more.replace("GATEWAY", &format!("http://127.0.0.1:{gateway}"));
    let config = format!(
        r#"
        [store]
        path = "{db}"
        [authority]
        listen = "127.0.0.1:{authority}"
        issuer = "http://127.0.0.1:{authority}"
        reach = ["127.0.0.0/8"]
        [gateway]
        listen = "127.0.0.1:{gateway}"
        resource = "http://127.0.0.1:{gateway}"
        reach = ["127.0.0.0/8"]
        {members}
        [gateway.upstreams]
        api = "http://127.0.0.1:{admin}"
        [[gateway.route]]
        path = "/healthz"
        scopes = ["health"]
        upstream = "api"
        [admin]
        listen = "127.0.0.1:{admin}"
        [[scope]]
        name = "health"
        description = "See whether it is well"
        {more}
        "#,
        db = db.display(),
    );
    let file = folder.path().join("tokenward.toml");
    std::fs::write(&file, config).expect("config");
    file
}

fn serve(file: &Path) -> Child {
    let mut command = program();
    if std::fs::read_to_string(file).expect("config").contains("[log]") {
        let log = std::fs::File::create(file.with_file_name(LOG)).expect("log");
        command.stderr(log);
    }
    command.args(["serve", "-c"]).arg(file).spawn().expect("starts")
}
