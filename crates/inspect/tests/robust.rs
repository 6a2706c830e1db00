//! Any input at all: no panic, and work that grows with length alone.

use inspect::{Anything, Inspector, Limits};
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};

const TYPES: [&str; 7] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "application/graphql",
    "application/xml",
    "text/plain",
    "",
];

/// Pieces that parsers and recognisers stumble over, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'",
        "\"",
        "<",
        ">",
        "(",
        ")",
        "{{",
        "}}",
        "${",
        "}",
        "%",
        "%25",
        "%c0%ae",
        "&#",
        "&lt;",
        "\\u0027",
        "\\",
        "/",
        "..",
        "../",
        "--",
        "/*",
        "*/",
        "#",
        ";",
        "|",
        "`",
        "$(",
        "union select ",
        " or 1=1",
        "on",
        "=",
        "script",
        "jndi:",
        "é",
        "\u{FF07}",
        "\n",
        "\r\n",
        "--b",
        "Content-Disposition: form-data; name=\"a\"; filename=\"",
        "{\"a\":",
        "[",
        "]",
        "null",
        "\"\"\"",
        "<!DOCTYPE ",
        "<![CDATA[",
        "http://",
        "0x7f",
        "[::",
        "127.1",
        "@",
        ":",
        " ",
        "a",
        "1",
        "\0",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|list| list.concat())
}

/// Bodies of each form, to be spoiled.
const BODIES: [&str; 6] = [
    r#"{"a":{"b":[1,"x"]},"constructor":{"prototype":{"c":null}},"url":"http:127.0.0.1"}"#,
    r#"{"query":"query($v: String!) { find(value: \"a\") { id } }","variables":{"v":{"$ne":1}}}"#,
    "a=b&c[__proto__][d]=e&url=localhost%2f&q=%7B%7B7*7%7D%7D",
    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"../b\"\r\n\r\n<?php\r\n--b--\r\n",
    "<?xml version=\"1.0\"?><a b=\"c\"><![CDATA[x]]><!-- d -->&lt;e&gt;</a>",
    "1' OR '{\"b\":2}'::jsonb <@ '{\"a\":1}'::jsonb -- x%0d%0aReferer: y",
];

/// One of them with pieces put in, and pieces of its own left out or said twice.
fn spoiled() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..3, pieces());
    (prop::sample::select(&BODIES[..]), prop::collection::vec(edit, 1..6)).prop_map(
        |(body, edits)| {
            edits.into_iter().fold(body.to_owned(), |body, (from, to, what, piece)| {
                let characters: Vec<char> = body.chars().collect();
                let (from, to) = (from.index(characters.len() + 1), to.index(characters.len() + 1));
                let (from, to) = (from.min(to), from.max(to));
                let [start, middle, end] =
                    [&characters[..from], &characters[from..to], &characters[to..]]
                        .map(|part| part.iter().collect::<String>());
                match what {
                    0 => format!("{start}{piece}{middle}{end}"),
                    1 => format!("{start}{end}"),
                    _ => format!("{start}{middle}{middle}{end}"),
                }
            })
        },
    )
}

fn inspect_all(bytes: &[u8]) {
    let inspector = Inspector::new(Limits::default());
    for kind in TYPES {
        let _ = inspector.body(Some(kind), bytes, &Anything);
    }
    let _ = inspector.header("x-any", bytes, &Anything);
    let _ = inspector.header("cookie", bytes, &Anything);
    let text = String::from_utf8_lossy(bytes);
    let _ = inspector.path(&text, &Anything);
    let _ = inspector.query(&text, &Anything);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn pieces_do_no_harm(text in pieces()) {
        inspect_all(text.as_bytes());
    }

    #[test]
    fn spoiled_bodies_do_no_harm(text in spoiled()) {
        inspect_all(text.as_bytes());
        let inspector = Inspector::new(Limits::default());
        for kind in TYPES {
            let answer = inspector.body(Some(kind), text.as_bytes(), &Anything);
            prop_assert_eq!(inspector.body(Some(kind), text.as_bytes(), &Anything), answer);
        }
    }

    #[test]
    fn bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        inspect_all(&bytes);
    }

    #[test]
    fn characters_do_no_harm(text in ".{0,80}") {
        inspect_all(text.as_bytes());
    }

    #[test]
    fn what_json_hides_is_found_wherever_it_is(depth in 1_usize..40, key in "[a-z]{1,8}") {
        let mut body = serde_json::json!("x' OR '1'='1");
        for _ in 0..depth {
            body = serde_json::json!({ key.as_str(): [1, body] });
        }
        let inspector = Inspector::new(Limits { depth: 100, ..Limits::default() });
        let answer = inspector.body(Some("application/json"), body.to_string().as_bytes(), &Anything);
        prop_assert!(answer.is_err());
    }
}

/// The same piece over and over: what makes a careless loop quadratic.
const SEEDS: [&str; 53] = [
    "(",
    "'",
    "<",
    "${",
    "{{",
    "%25",
    "&#x3c;",
    "\\u0027",
    "..",
    "../",
    "union ",
    "or 1 ",
    "on",
    "a. ",
    ";",
    "|",
    "`",
    "--b\r\n",
    "&a=",
    "[",
    "{\"a\":",
    "/*",
    "#\n",
    "x' or ",
    "a:b,",
    "jndi:",
    "]]",
    "\"\"\"",
    ":= ",
    ")(",
    "select ",
    "alert",
    "<a ",
    "$",
    "//",
    "](",
    "{{a(",
    "{% if 1",
    "<%`",
    "{a::(",
    "=php://",
    "|sudo ls",
    ";echo >>",
    "href=//",
    "\na-b:",
    "\"__proto__\" ",
    "{\"constructor\":",
    "a.constructor.",
    "; return ",
    "'||this",
    "}, {a: /",
    "=tftp://",
    "|map([\"",
];

/// Short of a piece that is judged at once, and what it is repeated to: several of them.
const SHORT: usize = 2_000;
const TIMES: usize = 16;
/// How much more the long text may cost than the short one. Length alone asks for 16, a loop in a loop for 256; a
/// processor that others use, or a clock that is put right in between, is far from both.
const MOST_GROWTH: f64 = 50.0;
/// How often it may cost more before it counts.
const ROUNDS: usize = 9;

#[test]
fn work_grows_with_length_alone() {
    let inspector = Inspector::new(Limits { values: usize::MAX, ..Limits::default() });
    for seed in SEEDS {
        for kind in TYPES {
            let growth = growth(&seed.repeat(SHORT / seed.len()), |text| {
                let _ = inspector.body(Some(kind), text.as_bytes(), &Anything);
            });
            assert!(growth <= MOST_GROWTH, "{seed:?} as {kind:?}: {growth:.0}");
        }
    }
}

#[test]
fn a_loop_in_a_loop_is_seen() {
    let looks = |text: &str, far: usize| {
        let ends = text.char_indices().map(|(at, _)| &text.as_bytes()[at..]);
        ends.map(|rest| rest.iter().take(far).filter(|byte| **byte == b'b').count()).sum::<usize>()
    };
    let text = "a".repeat(250);
    assert!(growth(&text, |text| looks(text, 50)) <= MOST_GROWTH);
    assert!(growth(&text, |text| looks(text, text.len())) > MOST_GROWTH);
}

/// How many times as much of the processor's time the long text takes; rounds end when it is little enough.
fn growth<T>(text: &str, act: impl Fn(&str) -> T) -> f64 {
    let long = text.repeat(TIMES);
    let rounds = (0..ROUNDS).map(|_| work(|| act(&long)) / work(|| act(text)).max(1.0));
    let mut least = f64::MAX;
    for growth in rounds {
        least = least.min(growth);
        if least <= MOST_GROWTH {
            break;
        }
    }
    least
}

/// The nanoseconds that this thread is on a processor for: others that wait for one do not count.
fn work<T>(act: impl FnOnce() -> T) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let start = now();
    std::hint::black_box(act());
    now() - start
}
