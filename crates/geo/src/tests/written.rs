//! Writes small MaxMind DB files: a tree of 24-bit records over 128 bits, and JSON values as data.

use std::net::IpAddr;

use serde_json::{Value, json};

const NODES_START: usize = 1;

/// A file with these networks, `address/prefix`, IPv4 by the prefix that it has itself.
pub(super) fn database(networks: &[(&str, Value)]) -> Vec<u8> {
    let mut nodes: Vec<[Slot; 2]> = vec![[Slot::Empty; 2]; NODES_START];
    let mut data = Vec::new();
    for (network, record) in networks {
        let (bits, length) = prefix(network);
        let offset = data.len();
        value(&mut data, record);
        insert(&mut nodes, bits, length, Slot::Data(offset));
    }
    let count = nodes.len();
    let mut file = Vec::new();
    for slot in nodes.iter().flatten() {
        let number = match slot {
            Slot::Empty => count,
            Slot::Node(node) => *node,
            Slot::Data(offset) => count + 16 + offset,
        };
        file.extend_from_slice(&u32::try_from(number).expect("small").to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    metadata(&mut file, count);
    file
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    Data(usize),
}

fn prefix(network: &str) -> (u128, u32) {
    let (address, length) = network.split_once('/').expect("a prefix");
    let length: u32 = length.parse().expect("a length");
    match address.parse().expect("an address") {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), length + 96),
        IpAddr::V6(v6) => (v6.to_bits(), length),
    }
}

fn insert(nodes: &mut Vec<[Slot; 2]>, bits: u128, length: u32, slot: Slot) {
    let mut node = 0;
    for depth in 0..length {
        let side = usize::from(bits >> (127 - depth) & 1 == 1);
        if depth + 1 == length {
            nodes[node][side] = slot;
            return;
        }
        node = match nodes[node][side] {
            Slot::Node(next) => next,
            Slot::Empty | Slot::Data(_) => {
                nodes.push([Slot::Empty; 2]);
                nodes[node][side] = Slot::Node(nodes.len() - 1);
                nodes.len() - 1
            }
        };
    }
}

fn metadata(file: &mut Vec<u8>, count: usize) {
    control(file, 7, 9);
    for (name, kind, bytes, number) in [
        ("binary_format_major_version", 5, 1, 2),
        ("binary_format_minor_version", 5, 1, 0),
        ("build_epoch", 9, 4, 1_790_000_000),
        ("ip_version", 5, 1, 6),
        ("node_count", 6, 4, count),
        ("record_size", 5, 1, 24),
    ] {
        value(file, &json!(name));
        control(file, kind, bytes);
        file.extend_from_slice(&number.to_be_bytes()[8 - bytes..]);
    }
    for (name, what) in
        [("database_type", json!("Example")), ("description", json!({ "en": "made by a test" }))]
    {
        value(file, &json!(name));
        value(file, &what);
    }
    value(file, &json!("languages"));
    control(file, 11, 1);
    value(file, &json!("en"));
}

fn control(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (first, rest) = match size {
        0..29 => (u8::try_from(size).expect("small"), None),
        29..285 => (29, u8::try_from(size - 29).ok()),
        _ => panic!("too long for a test"),
    };
    if kind < 8 {
        out.push(kind << 5 | first);
    } else {
        out.extend_from_slice(&[first, kind - 7]);
    }
    out.extend(rest);
}

fn value(out: &mut Vec<u8>, what: &Value) {
    match what {
        Value::String(text) => {
            control(out, 2, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) if number.is_f64() => {
            control(out, 3, 8);
            out.extend_from_slice(&number.as_f64().expect("a double").to_be_bytes());
        }
        Value::Number(number) => {
            let number = u32::try_from(number.as_u64().expect("a number")).expect("small");
            control(out, 6, 4);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Bool(yes) => control(out, 14, usize::from(*yes)),
        Value::Object(members) => {
            control(out, 7, members.len());
            for (name, member) in members {
                value(out, &json!(name));
                value(out, member);
            }
        }
        Value::Array(_) | Value::Null => panic!("not in a test"),
    }
}
