//! What an inspection costs: microseconds for an ordinary GET and for JSON bodies.
//!
//! `cargo bench -p inspect`; prints the best of several rounds, asserts nothing.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Instant;

use inspect::{Anything, Inspector, Limits};

const ROUNDS: usize = 30;
const TIMES: u32 = 500;

fn main() {
    let inspector = Inspector::new(Limits::default());
    let headers = [
        ("accept", "application/json, text/plain;q=0.9, */*;q=0.8"),
        ("accept-encoding", "gzip, deflate, br"),
        ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        ),
        ("x-request-id", "018f4c2e-7a1b-7cde-9f01-5abcdef01234"),
        ("cookie", "theme=dark; lang=en; last=2026-11-28T15:09:27Z"),
    ];
    timed("GET with six headers", || {
        inspector.path("/v1/customers/4711/orders", &Anything).expect("clean");
        inspector
            .query("page=2&sort=-created_at&status=open,paid&q=blue+shirt", &Anything)
            .expect("clean");
        for (name, value) in headers {
            inspector.header(name, value.as_bytes(), &Anything).expect("clean");
        }
    });
    let (order, text) = (order(), prose());
    for (what, body) in [("order", &order), ("prose", &text)] {
        let name = format!("JSON, {what}, {} bytes", body.len());
        timed(&name, || {
            inspector
                .body(Some("application/json"), black_box(body).as_bytes(), &Anything)
                .expect("clean");
        });
    }
}

/// An order with lines, addresses and a note: mostly short values.
fn order() -> String {
    let line = r#"{"sku":"SKU-4711/A","name":"Shirt, blue (men's)","qty":2,"price":"19.99","tax":"standard","url":"https://shop.example/p/4711?ref=list"}"#;
    let lines = [line; 12].join(",");
    format!(
        r#"{{"id":"018f4c2e-7a1b-7cde-9f01-5abcdef01234","customer":{{"name":"Siobhán O'Brien","email":"s.obrien@example.com","phone":"+353 1 555 0100","address":"12 St. John's Road, Flat #3"}},"created":"2026-11-28T15:09:27Z","lines":[{lines}],"note":"Please ring twice & leave it at the door; thanks!"}}"#
    )
}

/// A comment: one long text.
fn prose() -> String {
    let text = "We had a look at the report and I think it's right: the union of both tables is too large. \
                Please select the rows where the status isn't \\\"closed\\\" (or use the index), then drop me a line. ";
    format!(r#"{{"id":7,"comment":"{}"}}"#, text.repeat(11))
}

fn timed(name: &str, mut act: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        (0..TIMES).for_each(|_| act());
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    println!("{name:32} {best:7.2} µs");
}
