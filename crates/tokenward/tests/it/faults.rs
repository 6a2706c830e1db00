//! Neighbours that hang, die or vanish: whoever needs them waits, or is sent elsewhere, and nobody else notices.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::interop::python_script;
use crate::support::peer::Peer;
use crate::support::served::Served;
use crate::support::wire::Wire;

/// So many hang of each kind.
const HANGING: usize = 20;

/// A place that nobody answers at: not even connections come about.
struct Hole {
    address: SocketAddr,
    _waiting: Vec<Socket>,
    _listener: Socket,
}

/// The store, held by another process.
struct Held(Child);

// === impl Hole ===

impl Hole {
    /// Its queue is full, so that the system answers nothing.
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("bind");
        listener.listen(0).expect("listen");
        let address = listener.local_addr().expect("address").as_socket().expect("address");
        let connect = |_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
            socket.set_nonblocking(true).expect("socket");
            let _ = socket.connect(&address.into());
            socket
        };
        Self { address, _waiting: (0..8).map(connect).collect(), _listener: listener }
    }
}

// === impl Held ===

impl Held {
    fn by_another(served: &Served) -> Self {
        let mut command = python_script("hold_store.py");
        command.arg(served.database()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("stdout");
        BufReader::new(out).read_line(&mut line).expect("line");
        assert_eq!(line.trim(), "held");
        Self(child)
    }

    fn release(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("wait");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes connections and never answers; it serves until the test process ends.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

fn tokens(served: &Served, count: usize) -> Vec<String> {
    let (id, secret) = served.client(json!({
        "client_name": "caller", "grant_types": ["client_credentials"], "scope": "health",
    }));
    let one = |_| token(served, &id, &secret);
    (0..count).map(one).collect()
}

fn token(served: &Served, id: &str, secret: &str) -> String {
    let parameters = [("grant_type", "client_credentials"), ("scope", "health")];
    let answer = served.http.post_form(&served.issuer("/token"), Some((id, secret)), &parameters);
    answer.expect(200)["access_token"].as_str().expect("token").to_owned()
}

fn get(path: &str, token: &str) -> Vec<u8> {
    let token =
        if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!("GET {path} HTTP/1.1\r\nHost: api.example\r\n{token}\r\n").into_bytes()
}

/// A request that is sent and not waited for.
fn begin(served: &Served, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", served.gateway_port())).expect("connection");
    stream.write_all(request).expect("request");
    stream
}

/// Whether no byte of an answer is there.
fn waits(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("socket");
    let waits =
        matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("socket");
    waits
}

#[test]
fn who_needs_what_hangs_waits_alone() {
    let (good, stopped, hole) = (Peer::hyper(), Peer::node(), Hole::new());
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("secret"), "a-secret-of-the-issuer").expect("secret");
    let mut more = format!(
        "[[gateway.issuer]]\nissuer = \"https://idp.example\"\n[gateway.issuer.introspection]\n\
         url = \"http://{}/introspect\"\nclient_id = \"us\"\nprefix = \"idp_\"\n\
         client_secret_file = \"{}\"\n[detect]\nresponses_per_minute = 0\n",
        silent(),
        folder.path().join("secret").display()
    );
    for (name, address) in [
        ("good", format!("127.0.0.1:{}", good.port())),
        ("stopped", format!("127.0.0.1:{}", stopped.port())),
        ("hole", hole.address.to_string()),
        ("silent", silent().to_string()),
    ] {
        more += &format!(
            "[gateway.upstreams.{name}]\nservers = [\"http://{address}\"]\nconnect_timeout = \"1m\"\n\
             [[gateway.route]]\npath = \"/{name}/{{rest...}}\"\nscopes = [\"health\"]\nupstream = \"{name}\"\n\
             [[gateway.route]]\npath = \"/{name}/public\"\npublic = true\nupstream = \"{name}\"\n"
        );
    }
    let served = Served::start_with("threads = 1", &more);
    let tokens = tokens(&served, 40);
    let mut wire = Wire::to(served.gateway_port());
    assert_eq!(wire.ask(&get("/stopped/1", &tokens[0])).status, 200);
    stopped.signal("STOP");
    let hang = |path: &str, token: &str| -> Vec<TcpStream> {
        (0..HANGING).map(|_| begin(&served, &get(path, token))).collect()
    };
    let at_stopped = hang("/stopped/2", &tokens[0]);
    let others =
        [hang("/hole/1", &tokens[0]), hang("/silent/1", &tokens[0]), hang("/hole/public", "")];
    // Tokens of which the issuer has to say what they are.
    let asked: Vec<TcpStream> =
        (0..HANGING).map(|n| begin(&served, &get("/good/1", &format!("idp_{n}")))).collect();
    // Those that are known, those that never came before, and those that nobody needs.
    for token in tokens.iter().chain(&tokens) {
        assert_eq!(wire.ask(&get("/good/1", token)).status, 200);
        assert_eq!(wire.ask(&get("/good/public", "")).status, 200);
        assert_eq!(wire.ask(&get("/good/1", "abc")).status, 401);
        assert_eq!(wire.ask(&get("/.well-known/oauth-protected-resource", "")).status, 200);
    }
    let hanging = at_stopped.iter().chain(others.iter().flatten()).chain(&asked);
    assert!(hanging.into_iter().all(waits), "they were to hang meanwhile");
    stopped.signal("CONT");
    for mut stream in at_stopped {
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
}

#[test]
fn a_store_that_is_held_up_holds_up_what_is_written_alone() {
    let good = Peer::hyper();
    let served = Served::start(&format!(
        "[[gateway.route]]\npath = \"/good/{{rest...}}\"\nscopes = [\"health\"]\nupstream = \"good\"\n\
         [gateway.upstreams.good]\nservers = [\"http://127.0.0.1:{}\"]\n",
        good.port()
    ));
    let tokens = tokens(&served, 20);
    let (id, secret) = served.client(json!({
        "client_name": "revoker", "grant_types": ["client_credentials"], "scope": "health",
    }));
    let doomed = token(&served, &id, &secret);
    let mut wire = Wire::to(served.gateway_port());
    assert_eq!(wire.ask(&get("/good/1", &tokens[0])).status, 200);
    assert_eq!(wire.ask(&get("/good/1", &doomed)).status, 200);
    let held = Held::by_another(&served);
    std::thread::scope(|scope| {
        let revoking = scope.spawn(|| {
            let http = crate::support::http::Http::new();
            let url = served.issuer("/revoke");
            http.post_form(&url, Some((&id, &secret)), &[("token", &doomed)]).status
        });
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            for token in &tokens {
                assert_eq!(wire.ask(&get("/good/1", token)).status, 200);
            }
            assert_eq!(wire.ask(&get("/good/1", "abc")).status, 401);
            served.http.get(&served.issuer("/.well-known/jwks.json"), None).expect(200);
            served.http.get(&served.issuer("/.well-known/openid-configuration"), None).expect(200);
        }
        // New tokens need no commit either.
        let new = token(&served, &id, &secret);
        assert_eq!(wire.ask(&get("/good/1", &new)).status, 200);
        assert!(!revoking.is_finished(), "nothing is taken back before it is on disk");
        held.release();
        assert_eq!(revoking.join().expect("thread"), 200);
    });
    assert_eq!(wire.ask(&get("/good/1", &doomed)).status, 401);
}

#[test]
fn a_server_that_is_killed_is_left_alone_until_it_is_back() {
    let (mut dying, living) = (Peer::node(), Peer::python());
    let port = dying.port();
    let served = Served::start(&format!(
        "[gateway.upstreams.two]\nservers = [\"http://127.0.0.1:{port}\", \"http://127.0.0.1:{}\"]\n\
         balance = \"round_robin\"\nfail_after = 2\n\
         [[gateway.route]]\npath = \"/two/{{rest...}}\"\npublic = true\nupstream = \"two\"\n",
        living.port()
    ));
    let mut wire = Wire::to(served.gateway_port());
    let mut ask = || assert_eq!(wire.ask(&get("/two/1", "")).status, 200);
    (0..20).for_each(|_| ask());
    assert!(!dying.arrived().is_empty() && !living.arrived().is_empty(), "both are asked");
    dying.signal("KILL");
    (0..200).for_each(|_| ask());
    assert_eq!(living.arrived().len(), 200);
    drop(dying);
    dying = Peer::node_at(port);
    let until = Instant::now() + Duration::from_secs(30);
    while dying.arrived().is_empty() {
        assert!(Instant::now() < until, "it is not asked again");
        (0..10).for_each(|_| ask());
        std::thread::sleep(Duration::from_millis(100));
    }
}
