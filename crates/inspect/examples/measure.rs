//! Measures the inspection on labelled lines: a matrix of classes and positions, and what was misjudged.
//!
//! `cargo run -p inspect --example measure < FILE`; each line is an object with `label` (a class, or a word
//! that begins with `benign`), `where` (`path`, `query`, `header:NAME`, `cookie`, `json`, `nested`, `form`,
//! `multipart`, `graphql`, `xml`, `jsonbody`, `request`, `requests`, `text`) and `text`. With an argument, so
//! many misjudged lines are printed per label.

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::collections::BTreeMap;
use std::io::{BufRead, Error, stdin};

use inspect::{Anything, Class, Inspector, Limits, Stop};
use serde::Deserialize;

/// One labelled value.
#[derive(Deserialize)]
struct Line {
    label: String,
    #[serde(rename = "where")]
    place: String,
    text: String,
}

/// By label and place: all lines, alarms, and which classes were said.
type Rows = BTreeMap<(String, String), (u64, u64, BTreeMap<String, u64>)>;

fn main() -> Result<(), Error> {
    let shown = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(0);
    let inspector = Inspector::new(Limits::default());
    let mut rows = Rows::new();
    let mut misjudged = BTreeMap::<String, Vec<String>>::new();
    for line in stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let answer = judged(&inspector, &line);
        let place = line.place.split(':').next().unwrap_or_default().to_owned();
        let row = rows.entry((line.label.clone(), place)).or_default();
        row.0 += 1;
        row.1 += u64::from(answer.is_err());
        let benign = line.label.starts_with("benign");
        if benign == answer.is_err() {
            let said = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let list = misjudged.entry(line.label.clone()).or_default();
            list.push(format!("{said} [{}] {:?}", line.place, line.text));
        }
        let class = match answer {
            Ok(()) => "-",
            Err(Stop::Excess(_)) => "excess",
            Err(Stop::Found(finding)) => finding.class.as_str(),
        };
        *row.2.entry(class.to_owned()).or_default() += 1;
    }
    print_rows(&rows);
    for (label, list) in misjudged {
        let step = (list.len() / usize::max(shown, 1)).max(1);
        for text in list.iter().step_by(step).take(shown) {
            println!("{label}: {}", text.chars().take(240).collect::<String>());
        }
    }
    Ok(())
}

fn print_rows(rows: &Rows) {
    for ((label, place), (all, alarms, classes)) in rows {
        let classes: Vec<_> = Class::ALL
            .iter()
            .map(|class| class.as_str())
            .chain(["-", "excess"])
            .filter_map(|class| classes.get(class).map(|count| format!("{class} {count}")))
            .collect();
        let share = 100.0 * *alarms as f64 / *all as f64;
        println!(
            "{label:20} {place:10} {alarms:6} of {all:6} {share:6.2} %  {}",
            classes.join(", ")
        );
    }
}

/// The line's text, wrapped as its place has it.
fn judged(inspector: &Inspector, line: &Line) -> Result<(), Stop> {
    let text = line.text.as_str();
    match line.place.as_str() {
        "path" => inspector.path(&format!("/v1/items/{}", escaped(text, false)), &Anything),
        "query" => inspector.query(&format!("page=2&q={}", escaped(text, true)), &Anything),
        "cookie" => inspector.header("cookie", format!("a=1; theme={text}").as_bytes(), &Anything),
        "json" => {
            let body = serde_json::json!({ "id": 7, "data": { "value": text } }).to_string();
            inspector.body(Some("application/json"), body.as_bytes(), &Anything)
        }
        "nested" => {
            let inner = serde_json::json!({ "tags": ["a", text] }).to_string();
            let body = serde_json::json!({ "items": [{ "id": 7, "meta": inner }] }).to_string();
            inspector.body(Some("application/json"), body.as_bytes(), &Anything)
        }
        "graphql" => {
            let text = serde_json::Value::from(text).to_string();
            let query = format!("mutation {{ set(id: 7, value: {text}) {{ id }} }}");
            let body = serde_json::json!({ "query": query, "variables": {} }).to_string();
            inspector.body(Some("application/json"), body.as_bytes(), &Anything)
        }
        "form" => {
            let body = format!("id=7&value={}", escaped(text, true));
            inspector.body(Some("application/x-www-form-urlencoded"), body.as_bytes(), &Anything)
        }
        "multipart" => {
            let body = format!(
                "--b\r\nContent-Disposition: form-data; name=\"value\"\r\n\r\n{text}\r\n--b--\r\n"
            );
            inspector.body(Some("multipart/form-data; boundary=b"), body.as_bytes(), &Anything)
        }
        "xml" => inspector.body(Some("application/xml"), text.as_bytes(), &Anything),
        "jsonbody" => inspector.body(Some("application/json"), text.as_bytes(), &Anything),
        "request" => whole(inspector, &serde_json::from_str(text).unwrap_or_default()),
        "requests" => serde_json::from_str::<Vec<serde_json::Value>>(text)
            .unwrap_or_default()
            .iter()
            .try_for_each(|request| whole(inspector, request)),
        "text" => inspector.body(Some("text/plain"), text.as_bytes(), &Anything),
        place => {
            let name = place.split_once(':').map_or("x-value", |(_, name)| name);
            inspector.header(name, text.as_bytes(), &Anything)
        }
    }
}

/// A whole request: `{"target": "/a?b", "headers": {…}, "body": "…"}`.
fn whole(inspector: &Inspector, request: &serde_json::Value) -> Result<(), Stop> {
    let target = request["target"].as_str().unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    inspector.path(path, &Anything)?;
    inspector.query(query, &Anything)?;
    let mut kind = None;
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let (name, value) = (name.to_ascii_lowercase(), value.as_str().unwrap_or_default());
        inspector.header(&name, value.as_bytes(), &Anything)?;
        kind = if name == "content-type" { Some(value) } else { kind };
    }
    inspector.body(kind, request["body"].as_str().unwrap_or_default().as_bytes(), &Anything)
}

fn escaped(text: &str, form: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            b' ' if form => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
