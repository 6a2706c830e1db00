//! The configuration file: mistakes are named before anything starts.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{PROGRAM, Product, dev, output_of, program, root, text};

fn check(folder: &Path, content: &str) -> Output {
    let file = folder.join("tokenward.toml");
    std::fs::write(&file, content).expect("file");
    // The secret that some of these files say is there.
    let mut command = Command::new(PROGRAM);
    command.args(["config", "check", "-c"]).arg(&file).env("TOKENWARD_B", "secret");
    command.output().expect("run")
}

#[test]
fn a_good_file_is_called_good() {
    let folder = tempfile::tempdir().expect("folder");
    let output = check(
        folder.path(),
        "[gateway]\n[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n[[gateway.route]]\npath = \"/x/{id}\"\nupstream = \"a\"\n",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("tokenward.toml: good\n"));
}

/// Whoever has set a variable believes that it does something.
#[test]
fn a_variable_that_means_nothing_is_told_by_the_check_and_at_the_start() {
    let said = "TOKENWARD_AUTHORITY_ISSUER is ignored: did you mean TOKENWARD_AUTHORITY__ISSUER?";
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("tokenward.toml");
    std::fs::write(&file, "").expect("file");
    let mut command = program();
    command.args(["config", "check", "-c"]).arg(&file);
    assert_eq!(text(&command.output().expect("run").stderr), "");
    command.env("TOKENWARD_AUTHORITY_ISSUER", "https://a.example");
    let output = command.output().expect("run");
    assert!(output.status.success(), "it is no mistake of the file");
    assert_eq!(text(&output.stderr), format!("warning: {said}\n"));
    let mut product = Product::of(
        dev(&["--json"])
            .env("TOKENWARD_AUTHORITY_ISSUER", "https://a.example")
            .stderr(Stdio::piped()),
    );
    product.signal("TERM");
    let log = product.log();
    assert!(log.contains(said), "{log}");
}

#[test]
fn mistakes_name_file_line_and_cure_and_start_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let cases = [
        (
            "[authority]\nlisten = \"0.0.0.0:8080\"\n",
            ":2: authority.listen: 0.0.0.0:8080 can be reached from other machines without TLS",
        ),
        ("[authority]\naccess_token_lief = \"5m\"\n", ":2: unknown field `access_token_lief`"),
        ("\n\n[gateway\n", ":3: "),
        ("[[gateway.route]]\npath = \"orders\"\nupstream = \"x\"\n", ":2: gateway.route[0].path: "),
        ("[log]\nformat = \"xml\"\n", ":2: "),
        (
            "[authority]\naccess_token_lief = \"5m\"\n",
            ":2: unknown field `access_token_lief`: did you mean `access_token_life`?",
        ),
        ("[autority]\n", ":1: unknown field `autority`: did you mean `authority`?"),
        (
            "[authority]\naccess_token_life = 300\n",
            ":2: invalid type: integer `300`, expected a length of time such as \"30s\"",
        ),
        (
            "[authority]\nlisten = \"localhost:8080\"\n",
            ":2: not an address with a port such as 127.0.0.1:8080",
        ),
        // Taken for the name of a part of the program it would silence all others.
        ("[log]\nlevel = \"loud\"\n", ":2: log.level: `loud` is not a level such as info"),
        (
            "[store]\npath = \"postgres://db/tokenward\"\n",
            ":2: store.path: `postgres://db/tokenward` is no file",
        ),
        (
            "[[gateway.route]]\npath = \"/a\"\nupstream = \"a\"\n",
            ":3: gateway.route[0].upstream: no upstream is named `a` (`gateway.upstreams` has none)",
        ),
    ];
    for (content, expected) in cases {
        let output = check(folder.path(), content);
        assert_eq!(output.status.code(), Some(1), "{content}");
        let said = text(&output.stderr);
        assert!(said.contains(&format!("tokenward.toml{expected}")), "{content:?} said {said}");
        // `serve` refuses the same file with the same words.
        let file = folder.path().join("tokenward.toml");
        let served = Command::new(PROGRAM).args(["serve", "-c"]).arg(&file).output().expect("run");
        assert_eq!((served.status.code(), text(&served.stderr)), (Some(1), said));
    }
    let missing = Command::new(PROGRAM).args(["config", "check", "-c", "/nowhere.toml"]).output();
    assert!(text(&missing.expect("run").stderr).contains("/nowhere.toml"));
}

/// Whatever a start would fail of for want of a file is told before.
#[test]
fn a_file_that_is_not_there_is_told_by_the_check() {
    let folder = tempfile::tempdir().expect("folder");
    let provider = "[[authority.identity_provider]]\nname = \"a\"\nissuer = \"https://i.example\"\nclient_id = \"c\"\n";
    let mail = "[mail]\nmode = \"smtp\"\nfrom = \"a@b.example\"\nhost = \"h\"\n";
    let signals = "[[notify.signals]]\nname = \"s\"\naudience = \"https://s.example\"\n";
    let asked = "[[gateway.issuer]]\nissuer = \"https://i.example\"\n[gateway.issuer.introspection]\n\
                 url = \"https://i.example/i\"\nclient_id = \"c\"\n";
    for (before, member) in [
        ("[authority]\n", "client_ca"),
        ("[authority]\n", "leak_report_keys"),
        ("[authority.passwords]\n", "breached_list"),
        (provider, "client_secret_file"),
        (provider, "client_key_file"),
        (&format!("{mail}username = \"u\"\n"), "password_file"),
        (mail, "ca"),
        ("[[notify.webhook]]\nname = \"w\"\nurl = \"https://w.example\"\n", "secret_file"),
        (signals, "token_file"),
        (&format!("{signals}url = \"https://s.example\"\n"), "token_file"),
        ("[[signal_transmitter]]\nname = \"t\"\nissuer = \"https://t.example\"\n", "token_file"),
        ("[[attester]]\nissuer = \"https://a.example\"\n", "jwks_file"),
        (
            "[[trusted_issuer]]\nissuer = \"https://a.example\"\nrule = [{ client = \"c\", claims = { sub = \"s\" } }]\n",
            "jwks_file",
        ),
        (asked, "client_secret_file"),
    ] {
        let output = check(folder.path(), &format!("{before}{member} = \"/nowhere/f\"\n"));
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{before}{member}");
        assert!(said.contains("/nowhere/f") && said.contains("No such file"), "{member}: {said}");
    }
}

#[test]
fn the_listener_for_proxies_is_for_somebody_and_not_for_everybody() {
    let folder = tempfile::tempdir().expect("folder");
    for (content, words) in [
        ("trusted_callers = []", "gateway.auth.trusted_callers: must name a network"),
        ("listen = \"0.0.0.0:8083\"", "gateway.auth.listen: 0.0.0.0:8083 can be reached"),
        ("client_certificate_field = \"a b\"", "gateway.auth.client_certificate_field: must be"),
        ("trusted_caller = []", "unknown field"),
    ] {
        let output = check(folder.path(), &format!("[gateway.auth]\n{content}\n"));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    assert!(check(folder.path(), "[gateway.auth]\n").status.success());
}

#[test]
fn a_limit_says_one_amount() {
    let folder = tempfile::tempdir().expect("folder");
    let file = |limit: &str| {
        format!(
            "[gateway]\n[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n[[gateway.route]]\n\
             path = \"/x\"\nupstream = \"a\"\n[[gateway.limit]]\nname = \"l\"\n{limit}\n"
        )
    };
    let good = [
        "rate = \"10/s\"\nburst = 20\nby = [\"client\", \"route\"]\nroutes = [\"/x\"]",
        "quota = \"10000/d\"\n[[gateway.limit.class]]\nscope = \"tier:gold\"\nquota = \"100000/d\"",
        "concurrent = 5",
    ];
    for limit in good {
        let output = check(folder.path(), &file(limit));
        assert!(output.status.success(), "{limit}: {}", text(&output.stderr));
    }
    for (limit, words) in [
        ("", ":7: gateway.limit[0].rate: say exactly one of `rate`, `quota` and `concurrent`"),
        ("rate = \"1/s\"\nquota = \"1/d\"", "gateway.limit[0].rate: say exactly one"),
        ("quota = \"1/d\"\nburst = 2", "gateway.limit[0].rate: `burst` goes with `rate` alone"),
        ("rate = \"fast\"", ":9: `fast` is not a number of requests and a time such as `100/s`"),
        ("rate = \"1/s\"\nby = [\"ip\"]", "unknown variant `ip`"),
        ("rate = \"1/s\"\nper = \"client\"", "unknown field `per`"),
        (
            "concurrent = 1\n[[gateway.limit.class]]\nscope = \"a b\"\nconcurrent = 2",
            "gateway.limit[0].class[0].scope: `a b` is not one scope",
        ),
    ] {
        let output = check(folder.path(), &file(limit));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{limit:?} said {said}");
    }
    let off = check(folder.path(), "[gateway]\ndoubtful_tokens = \"off\"\n");
    assert!(off.status.success(), "{}", text(&off.stderr));
}

#[test]
fn a_trusted_issuer_trusts_somebody_and_not_everybody() {
    let folder = tempfile::tempdir().expect("folder");
    let head = "[[trusted_issuer]]\nissuer = \"https://token.example\"\n";
    let rule = format!("{head}[[trusted_issuer.rule]]\nclient = \"c\"\n");
    for (content, words) in [
        (head.to_owned(), "needs a `rule`"),
        (format!("{rule}claims = {{}}\n"), "must name a claim"),
        (format!("{rule}claims = {{ sub = \"*\" }}\n"), "it would fit everybody"),
        (format!("{head}people = \"email\"\njwks_uri = \"x\"\n"), "must be a URL"),
        (head.replace("https://", "no url "), "must be a URL"),
    ] {
        let output = check(folder.path(), &content);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let good = format!("{rule}claims = {{ sub = \"repo:acme/*\" }}\n");
    assert!(check(folder.path(), &good).status.success());
}

#[test]
fn another_issuer_is_somebody_else_and_its_tokens_are_nobody_elses() {
    let folder = tempfile::tempdir().expect("folder");
    let one = "[[gateway.issuer]]\nissuer = \"https://idp.example\"\n";
    let asked = "[[gateway.issuer]]\nissuer = \"https://b.example\"\n[gateway.issuer.introspection]\n\
                 url = \"https://b.example/i\"\nclient_id = \"c\"\n";
    let secret = "client_secret_env = \"TOKENWARD_B\"\n";
    for (content, words) in [
        (one.replace("https://idp", "no url"), ":2: gateway.issuer[0].issuer: must be a URL"),
        (one.replace("idp", "a|b"), "gateway.issuer[0].issuer: must be a text without `|`"),
        (one.replace("https", "http"), "gateway.issuer[0].issuer: `http://idp.example` must begin"),
        (one.repeat(2), ":4: gateway.issuer[1].issuer: `https://idp.example` is there twice"),
        (one.replace("https://idp.example", "http://127.0.0.1:8080"), "is this server itself"),
        (format!("{one}jwks_uri = \"http://idp.example/k\"\n"), "must begin with https://"),
        (format!("{one}jwks_uri = \"https://a/k\"\njwks_file = \"k\"\n"), "cannot stand beside"),
        (format!("{one}subject = \"a..b\"\n"), "gateway.issuer[0].subject: `a..b` names no claim"),
        (format!("{one}algorithms = [\"HS256\"]\n"), "HS256"),
        (format!("{one}scopes = [{{ claim = \"a\", prefix = \"x y\" }}]\n"), "prefix `x y` cannot"),
        (asked.to_owned(), "needs one of `client_secret_file` and `client_secret_env`"),
        (format!("{asked}client_secret_env = \"HOME\"\n"), "must begin with `TOKENWARD_`"),
        (format!("{asked}{secret}cache = \"11m\"\n"), "must be at most 10m"),
        (
            format!("{asked}{secret}{}{secret}", asked.replace("b.example", "c.example")),
            "gateway.issuer[1].introspection.prefix: another issuer's tokens can begin likewise",
        ),
    ] {
        let output = check(folder.path(), &content);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let other = asked.replace("b.example", "c.example");
    let good = format!("{one}{asked}{secret}prefix = \"b_\"\n{other}{secret}prefix = \"c_\"\n");
    let output = check(folder.path(), &good);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_scope_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let scope = |name: &str, more: &str| {
        format!("[[scope]]\nname = \"{name}\"\ndescription = \"x\"\n{more}\n")
    };
    for (content, words) in [
        (scope("a", "includes = [\"b\"]"), ":4: scope[0].includes: the scope `a` includes `b`"),
        (scope("a", "includes = [\"a\"]"), "the scope `a` includes itself"),
        (
            scope("a", "includes = [\"b\"]") + &scope("b", "includes = [\"a\"]"),
            "the scope `a` includes itself",
        ),
        (scope("a", "") + &scope("a", ""), "scope[1].name: the scope `a` is defined twice"),
        (scope("a", "includes = [\"tokenward:admin\"]"), "which is not defined"),
        (
            scope("a", "resources = [\"https://x.example\"]"),
            ":4: scope[0].resources: `a` belongs to `https://x.example`, no resource",
        ),
        (scope("a", "claims = [\"acr\"]"), ":4: scope[0].claims: `a` cannot bring it: `acr`"),
    ] {
        let output = check(folder.path(), &content);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let good = "[[resource]]\nidentifier = \"https://x.example\"\n".to_owned()
        + &scope("a", "resources = [\"https://x.example\"]\nclaims = [\"department\"]")
        + &scope("b", "includes = [\"a\"]\nresources = [\"http://127.0.0.1:8080\"]");
    let output = check(folder.path(), &good);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn the_example_file_of_the_documentation_is_good() {
    output_of(
        Command::new(PROGRAM)
            .args(["config", "check", "-c"])
            .arg(root().join("docs/tokenward.example.toml")),
    );
}

#[test]
fn the_reference_in_the_documentation_is_this_programs() {
    let printed = output_of(Command::new(PROGRAM).args(["config", "reference"]));
    let kept = std::fs::read_to_string(root().join("docs/configuration.md")).expect("docs");
    assert_eq!(kept.trim_end(), printed.trim_end(), "run `cargo xtask reference`");
    let printed = output_of(Command::new(PROGRAM).arg("cli-reference"));
    let kept = std::fs::read_to_string(root().join("docs/cli.md")).expect("docs");
    assert_eq!(kept.trim_end(), printed.trim_end(), "run `cargo xtask reference`");
    for (api, file) in [("admin", "openapi.json"), ("oauth", "oauth-openapi.json")] {
        let printed = output_of(Command::new(PROGRAM).args(["openapi", api]));
        let kept = std::fs::read_to_string(root().join("docs").join(file)).expect("docs");
        assert_eq!(kept.trim_end(), printed.trim_end(), "run `cargo xtask reference`");
    }
}

#[test]
fn registration_gives_no_more_than_anybody_may_have() {
    let folder = tempfile::tempdir().expect("folder");
    let head = "[authority.registration]\n";
    for (content, words) in [
        ("policy = \"everybody\"\n", "unknown variant `everybody`"),
        ("scopes = \"openid  email\"\n", "separated by single spaces"),
        ("grant_types = [\"password\"]\n", "unknown value `password`"),
        (
            "grant_types = [\"urn:ietf:params:oauth:grant-type:token-exchange\"]\n",
            "only an administrator gives it",
        ),
        ("policy = \"open\"\ngrant_types = [\"client_credentials\"]\n", "no person behind them"),
        ("redirect_hosts = [\"*\"]\n", "`*` is not a host"),
        ("redirect_hosts = [\"https://app.example\"]\n", "is not a host"),
    ] {
        let output = check(folder.path(), &format!("{head}{content}"));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let by_statement = format!("{head}policy = \"statement\"\n");
    let publisher = "[[software_publisher]]\nissuer = \"https://publisher.example\"\n";
    for (content, good) in [
        (by_statement.clone(), false),
        (format!("{by_statement}{publisher}"), true),
        (format!("{by_statement}{publisher}jwks_uri = \"x\"\n"), false),
        (by_statement + "[[software_publisher]]\nissuer = \"no url\"\n", false),
    ] {
        let output = check(folder.path(), &content);
        assert_eq!(output.status.success(), good, "{content}: {}", text(&output.stderr));
    }
    let good = "policy = \"open\"\nredirect_hosts = [\"*.example.com\", \"localhost\"]\n\
                grant_types = [\"authorization_code\", \"refresh_token\"]\n\
                private_use_schemes = false\n";
    assert!(check(folder.path(), &format!("{head}{good}")).status.success());
}

#[test]
fn pages_of_everywhere_never_act_for_their_visitors() {
    let folder = tempfile::tempdir().expect("folder");
    for (content, words) in [
        (
            "[gateway.cors]\norigins = [\"*\"]\ncredentials = true",
            "gateway.cors: origins: `*` cannot",
        ),
        ("[gateway.cors]\n", "gateway.cors: origins: name one at least"),
        (
            "[gateway.cors]\norigins = [\"app.example\"]",
            "gateway.cors: origins: `app.example` is not",
        ),
        ("[gateway]\nrequest_id_field = \"a b\"", "gateway.request_id_field: must be the name"),
    ] {
        let output = check(folder.path(), &format!("{content}\n"));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let good = "[gateway]\nrequest_id_field = \"\"\n[gateway.cors]\norigins = [\"https://*.example.com\"]\n";
    assert!(check(folder.path(), good).status.success());
}

#[test]
fn what_is_wrong_with_one_rule_beside_another_is_found_before_the_start() {
    let folder = tempfile::tempdir().expect("folder");
    let head = "[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n";
    let route = |path: &str, more: &str| {
        format!("[[gateway.route]]\npath = \"{path}\"\nupstream = \"a\"\n{more}")
    };
    for (content, words) in [
        (
            route("/x", "").repeat(2),
            "tokenward.toml:7: gateway.route[1].path: route `/x`: method * has a rule already",
        ),
        (
            route("/x", "") + &route("/X", "path_variants = \"same\"\n"),
            "tokenward.toml:7: gateway.route[1].path: route `/X`: `path_variants`",
        ),
        (
            route("/x", "cors = { origins = [\"*\"], credentials = true }\n"),
            "tokenward.toml:4: gateway.route[0].path: route `/x`: cors: origins: `*` cannot",
        ),
        (route("/x", "cors = \"on\"\n"), "must be `off` or a table as `gateway.cors`"),
        (
            route("/x", "cost = 5\n")
                + "[[gateway.limit]]\nname = \"few\"\nby = [\"client\"]\nrate = \"2/s\"\n",
            "its cost of 5 is more than limit `few` ever has",
        ),
        (route("/x", "countries = [\"NO\"]\n"), "name databases in `geo.files`"),
    ] {
        let output = check(folder.path(), &format!("{head}{content}"));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{content}: {said}");
    }
    let good = route("/x", "cors = \"off\"\npath_variants = \"distinct\"\n")
        + &route("/{rest...}", "cors = { origins = [\"https://app.example\"] }\n");
    let output = check(folder.path(), &format!("{head}{good}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
}
