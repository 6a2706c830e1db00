//! Mistakes are named with their line; the environment is put over the file.

use std::path::Path;

use super::{Environment, parse};

fn load(text: &str, variables: &[(&str, &str)]) -> Result<crate::config::Config, String> {
    let environment: Environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(Path::new("t.toml"), text, &environment).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn an_empty_file_is_the_defaults() {
    let config = load("", &[]).expect("defaults");
    assert!(config.gateway.is_none() && config.admin.is_none());
    assert_eq!(config.authority.access_token_life.to_string(), "10m");
}

#[test]
fn mistakes_carry_their_line() {
    let cases = [
        ("[authority]\nlisten = 5\n", "t.toml:2: "),
        ("[authority]\n\nissuerr = \"x\"\n", "t.toml:3: unknown field `issuerr`"),
        (
            "[authority]\nissuer = \"http://auth.example.com\"\n",
            "t.toml:2: authority.issuer: `http://auth.example.com` must begin with https://",
        ),
        (
            "[authority]\nlisten = \"0.0.0.0:80\"\n",
            "t.toml:2: authority.listen: 0.0.0.0:80 can be reached",
        ),
        ("[authority]\naccess_token_life = \"soon\"\n", "t.toml:2: `soon` is not a length of time"),
        (
            "[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n[[gateway.route]]\npath = \"/\"\nupstream = \"b\"\n",
            "t.toml:5: gateway.route[0].upstream: no upstream is named `b` (known: a)",
        ),
        (
            "[gateway.upstreams]\na = \"http://a\"\n[[gateway.route]]\npath = \"/a\"\nupstream = \"a\"\nstrip_prefix = \"/b\"\n",
            "t.toml:6: gateway.route[0].strip_prefix: `strip_prefix` is the beginning of the route's",
        ),
        (
            "[gateway.upstreams]\na = \"nowhere\"\n",
            "t.toml:2: gateway.upstreams.a: `nowhere` is not an address",
        ),
        (
            "[gateway.upstreams]\na = 1\n",
            "t.toml:2: invalid type: integer `1`, expected an address such as",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\nretry = 1\n",
            "t.toml:3: unknown field `retry`, expected one of `servers`",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\n[gateway.upstreams.a.tls]\n",
            "t.toml:3: gateway.upstreams.a.tls: goes with servers that all begin with https://",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"https://a\"]\ntls = { client_key_file = \"k\" }\n",
            "t.toml:3: gateway.upstreams.a.tls: `client_certificate_file` and `client_key_file` go",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\nhealth = { path = \"x\" }\n",
            "t.toml:3: gateway.upstreams.a.health.path: must be a path such as /health",
        ),
        (
            "[gateway.upstreams.a]\nservers = []\n",
            "t.toml:2: gateway.upstreams.a.servers: must name at least one server",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\", \"http://a\"]\n",
            "t.toml:2: gateway.upstreams.a.servers: `http://a` is there twice",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\nbalance = \"hash\"\n",
            "t.toml:3: gateway.upstreams.a.balance: `hash` needs `hash_by`",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\nhash_by = \"client\"\n",
            "t.toml:3: gateway.upstreams.a.hash_by: goes with `balance = \"hash\"`",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\nmax_requests = 0\n",
            "t.toml:3: gateway.upstreams.a.max_requests: must be at least 1",
        ),
        (
            "[gateway.upstreams.a]\nservers = [\"http://a\"]\ntimeout = \"0s\"\n",
            "t.toml:3: gateway.upstreams.a.timeout: must be more than 0s",
        ),
        ("[detect]\nqueue = 0", "t.toml:2: detect.queue: must be from 1 to 16777216"),
        ("[detect]\nqueue = 16777217", "t.toml:2: detect.queue: must be from 1 to 16777216"),
        (
            "[authority]\npuzzle_after = 9\n",
            "t.toml:2: authority.puzzle_after: must be from 10 to 1000, or 0 for no puzzle",
        ),
        (
            "[authority]\npuzzle_after = 1001\n",
            "t.toml:2: authority.puzzle_after: must be from 10 to 1000, or 0 for no puzzle",
        ),
        ("x = ", "t.toml:1: "),
        (
            "[[scope]]\nname = \"a b\"\ndescription = \"\"\n",
            "t.toml:2: scope[0].name: `a b` is not a scope",
        ),
    ];
    for (text, expected) in cases {
        let said = load(text, &[]).expect_err(text);
        assert!(said.starts_with(expected), "{text:?} said {said:?}");
    }
}

#[test]
fn variables_go_over_the_file() {
    let text = "[authority]\naccess_token_life = \"5m\"\n";
    let config = load(
        text,
        &[
            ("TOKENWARD_AUTHORITY__ACCESS_TOKEN_LIFE", "7m"),
            ("TOKENWARD_AUTHORITY__PASSWORD_THREADS", "4"),
            ("TOKENWARD_ADMIN__LISTEN", "127.0.0.1:9999"),
            ("TOKENWARD_ADMIN_TOKEN", "not configuration"),
            ("TOKENWARD_DRAIN", "3s"),
        ],
    )
    .expect("config");
    assert_eq!(config.authority.access_token_life.to_string(), "7m");
    assert_eq!(config.authority.password_threads, 4);
    assert_eq!(config.drain.to_string(), "3s", "an option of no section has no part before it");
    assert_eq!(config.admin.map(|admin| admin.listen.port()), Some(9999));
}

#[test]
fn a_variable_that_names_nothing_is_refused_by_name() {
    for name in ["TOKENWARD_AUTHORTY__ISSUER", "TOKENWARD_AUTHORITY__ISUER", "TOKENWARD_DRAIN__X"] {
        let said = load("drain = \"1s\"", &[(name, "https://a.example")]).expect_err(name);
        assert!(said.contains(name), "{said}");
    }
}
