//! What the sample API holds at its start: made by rule, the same at every start.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const PEOPLE: [(&str, &str); 8] = [
    ("Amara Okafor", "Lagos"),
    ("Bruno Keller", "Zürich"),
    ("Chiyo Tanaka", "Osaka"),
    ("Dalia Haddad", "Amman"),
    ("Elif Aydın", "İzmir"),
    ("Farid Rahimi", "Toronto"),
    ("Greta Lindqvist", "Malmö"),
    ("Hugo Martins", "Porto"),
];
const GOODS: [(&str, f64); 6] = [
    ("Field notebook", 9.5),
    ("Desk lamp", 64.0),
    ("Wool blanket", 89.9),
    ("Espresso cups, set of 4", 38.0),
    ("Trail backpack", 129.0),
    ("Ceramic planter", 24.5),
];
const STATES: [&str; 4] = ["paid", "shipped", "delivered", "open"];
const ORDERS: usize = 24;

/// The objects of a collection by id.
pub(super) fn seed(collection: &str) -> BTreeMap<u64, Map<String, Value>> {
    let objects: Vec<Value> = match collection {
        "orders" => (0..ORDERS).map(order).collect(),
        "invoices" => (0..ORDERS).filter(|n| n % 4 != 3).map(invoice).collect(),
        _ => (0..PEOPLE.len()).map(user).collect(),
    };
    objects
        .into_iter()
        .filter_map(|object| match object {
            Value::Object(members) => Some((members.get("id")?.as_u64()?, members)),
            _ => None,
        })
        .collect()
}

fn order(n: usize) -> Value {
    let (customer, city) = PEOPLE[n * 5 % PEOPLE.len()];
    let (item, price) = GOODS[n * 7 % GOODS.len()];
    let quantity = n % 3 + 1;
    json!({
        "id": 1001 + n,
        "customer": customer,
        "user_id": n * 5 % PEOPLE.len() + 1,
        "status": STATES[n % STATES.len()],
        "currency": "EUR",
        "items": [{ "name": item, "quantity": quantity, "price": price }],
        "total": total(n),
        "ship_to": city,
        "placed_at": format!("2026-10-{:02}T{:02}:{:02}:00Z", n + 1, 8 + n % 12, n * 13 % 60),
    })
}

fn total(n: usize) -> f64 {
    let quantity = u32::try_from(n % 3 + 1).unwrap_or(1);
    (GOODS[n * 7 % GOODS.len()].1 * f64::from(quantity) * 100.0).round() / 100.0
}

fn invoice(n: usize) -> Value {
    json!({
        "id": 501 + n,
        "order_id": 1001 + n,
        "number": format!("2026-{:05}", 501 + n),
        "amount": total(n),
        "currency": "EUR",
        "due": format!("2026-11-{:02}", n + 1),
        "paid": n % 4 != 2,
    })
}

fn user(n: usize) -> Value {
    let (name, city) = PEOPLE[n];
    let first = name.split(' ').next().unwrap_or_default().to_lowercase();
    json!({
        "id": n + 1,
        "name": name,
        "email": format!("{first}@shop.example"),
        "city": city,
        "role": if n == 0 { "owner" } else { "customer" },
        "since": format!("202{}-0{}-15", n % 6, n % 9 + 1),
    })
}
