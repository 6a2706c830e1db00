//! What it costs to judge an order of 2 kB against its schema: `cargo bench -p contract`.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use contract::{Contract, UnknownQuery};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use inspect::Limits;
use serde_json::json;

const ROUND: Duration = Duration::from_millis(500);

#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/shop/shop.yaml");
    let began = Instant::now();
    let Ok(contract) = Contract::read(&file, None) else { return };
    let operations: Vec<_> = contract.operations().iter().collect();
    let Ok(checks) = contract.checks(&operations, UnknownQuery::Refuse) else { return };
    println!("document read and compiled          {:9.1} us", began.elapsed().as_secs_f64() * 1e6);
    let at = |wanted: &str| operations.iter().position(|one| one.id.as_deref() == Some(wanted));
    let check = |wanted: &str| at(wanted).and_then(|number| checks.get(number));
    let (Some(create), Some(list)) = (check("createOrder"), check("listOrders")) else { return };

    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let uuid = HeaderValue::from_static("0190a7c4-7b3e-7e25-8c5a-6d1f0f3b2a11");
    headers.insert("x-trace", uuid);
    let limits = Limits::default();
    let (good, bad) = (order(false), order(true));
    assert!(create.body(&headers, &good, &limits).is_ok());
    assert!(create.body(&headers, &bad, &limits).is_err());
    measure(&format!("a good order, {} bytes", good.len()), || {
        create.body(&headers, &good, &limits).is_ok()
    });
    measure(&format!("a bad one, {} bytes", bad.len()), || {
        create.body(&headers, &bad, &limits).is_ok()
    });
    measure("the same, only parsed", || serde_json::from_slice::<serde_json::Value>(&good).is_ok());
    let query = "limit=10&state=open&state=paid&filter[min]=1.5";
    measure("a query of four, one header", || {
        list.head("/v1/orders", Some(query), &headers, &limits).is_ok()
    });
}

/// An order of 22 items; the last one may have a quantity that is too small.
fn order(bad: bool) -> Vec<u8> {
    let item = |number: u32| {
        let qty = if bad && number == 21 { 0 } else { number + 1 };
        json!({ "sku": format!("AB-{:04}", number), "qty": qty,
                "price": { "amount": 9.5, "currency": "EUR" } })
    };
    let items: Vec<_> = (0..22).map(item).collect();
    json!({
        "customer": { "email": "ada@mail.example", "born": "1990-12-10", "site": "https://ada.example/" },
        "note": "Please leave it with the neighbours, they know about it and are at home all day.",
        "items": items,
        "payment": { "kind": "card", "number": "4111111111111111" },
        "meta": { "channel": "web", "campaign": "spring" },
    })
    .to_string()
    .into_bytes()
}

#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn measure<T>(name: &str, mut act: impl FnMut() -> T) {
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let (began, mut count) = (Instant::now(), 0u32);
            while began.elapsed() < ROUND {
                for _ in 0..100 {
                    black_box(act());
                }
                count += 100;
            }
            began.elapsed().as_secs_f64() / f64::from(count)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let (least, median) = (rounds[0] * 1e6, rounds[rounds.len() / 2] * 1e6);
    println!("{name:36}{least:8.2} us at least, {median:8.2} us in the middle");
}
