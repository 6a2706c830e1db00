//! A whole product in one line, on free ports, with a store of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) mod backend;
pub(crate) mod browser;
pub(crate) mod frames;
pub(crate) mod http;
pub(crate) mod neighbour;
pub(crate) mod peer;
pub(crate) mod port;
pub(crate) mod receiver;
pub(crate) mod recording;
pub(crate) mod served;
pub(crate) mod stage;
pub(crate) mod wire;

use http::{Answer, Http};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tokenward");

/// A running `tokenward dev`; ended when dropped.
pub(crate) struct Product {
    child: Child,
    pub(crate) line: Value,
    pub(crate) http: Http,
    _folder: Option<tempfile::TempDir>,
}

/// An access token's whole answer.
pub(crate) type Tokens = Value;

impl Product {
    /// On a fresh data folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut product = Self::start_in(folder.path(), &[]);
        product._folder = Some(folder);
        product
    }

    /// On a fresh data folder, with more options.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut product = Self::start_in(folder.path(), options);
        product._folder = Some(folder);
        product
    }

    /// On this data folder.
    pub(crate) fn start_in(folder: &Path, options: &[&str]) -> Self {
        Self::of(dev(&["--json", "--data-dir"]).arg(folder).args(options))
    }

    /// As this command starts it, which must print its JSON line.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("line");
        let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line:?}"));
        Self { child, line, http: Http::new(), _folder: None }
    }

    /// A member of the line that `--json` prints.
    pub(crate) fn said(&self, member: &str) -> &str {
        self.line[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {}", self.line))
    }

    pub(crate) fn issuer(&self, path: &str) -> String {
        format!("{}{path}", self.said("issuer"))
    }

    pub(crate) fn gateway(&self, path: &str) -> String {
        format!("{}{path}", self.said("gateway"))
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("{}{path}", self.said("admin"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> (String, String) {
        (self.said("client_id").to_owned(), self.said("client_secret").to_owned())
    }

    /// Calls the token endpoint as the demo client.
    pub(crate) fn token(&self, parameters: &[(&str, &str)]) -> Answer {
        let (id, secret) = self.client();
        self.http.post_form(&self.issuer("/token"), Some((&id, &secret)), parameters)
    }

    /// An access token by client credentials.
    pub(crate) fn access_token(&self) -> String {
        let answer = self.token(&[("grant_type", "client_credentials")]);
        answer.expect(200)["access_token"].as_str().expect("access token").to_owned()
    }

    /// Gets a path of the API through the gateway.
    pub(crate) fn api(&self, path: &str, token: &str) -> Answer {
        self.http.get(&self.gateway(path), Some(token))
    }

    /// Signs in as the demo user and returns the token answer.
    pub(crate) fn sign_in(&self, scope: &str) -> Tokens {
        browser::sign_in(self, scope)
    }

    /// Calls the admin API with the admin token.
    pub(crate) fn admin_call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = self.admin(&format!("/api/v1{path}"));
        self.http.json(method, &url, Some(self.said("admin_token")), body)
    }

    /// Asks until a finding of this detector is there; at most five seconds.
    pub(crate) fn finding(&self, detector: &str) -> Value {
        self.finding_with(detector, |_| true)
    }

    /// The same with one like this; its first may be milder.
    pub(crate) fn finding_with(&self, detector: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let answer = self.admin_call("GET", "/findings", None).expect(200);
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            let found = items.into_iter().map(|item| (item["finding"].clone(), item));
            let mut found = found.filter(|(finding, _)| finding["detector"] == detector);
            if let Some((_, found)) = found.find(|(finding, _)| is_meant(finding)) {
                return found;
            }
            assert!(Instant::now() < until, "no such finding of {detector}: {answer}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a command of the program against this product.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM)
            .args(arguments)
            .env("TOKENWARD_ADMIN_URL", self.said("admin"))
            .env("TOKENWARD_ADMIN_TOKEN", self.said("admin_token"))
            .output()
            .expect("the command runs")
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for the end; the exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("status") {
                return status.code();
            }
            assert!(Instant::now() < until, "the product did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// What it wrote to standard error, to its end, when that was piped.
    pub(crate) fn log(&mut self) -> String {
        let mut log = String::new();
        self.child.stderr.take().expect("stderr").read_to_string(&mut log).expect("log");
        log
    }

    /// What it printed after the JSON line.
    pub(crate) fn rest_of_output(&mut self) -> String {
        let mut rest = String::new();
        if let Some(stdout) = self.child.stdout.as_mut() {
            stdout.read_to_string(&mut rest).expect("output");
        }
        rest
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, without the variables that are for these tests alone.
#[expect(clippy::disallowed_methods, reason = "they are for another program")]
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("TOKENWARD_")) {
            command.env_remove(name);
        }
    }
    command
}

/// `tokenward dev` on free ports.
pub(crate) fn dev(options: &[&str]) -> Command {
    let mut command = program();
    command.arg("dev").args(["--authority-listen", "127.0.0.1:0"]);
    command.args(["--gateway-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    command.args(options);
    command
}

/// Standard output and error of a command that must succeed.
pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?} failed\n{out}\n{err}");
    out
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
