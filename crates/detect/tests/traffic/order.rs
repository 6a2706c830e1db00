//! Steps out of order, and tokens that take turns.

use serde_json::{Value, json};

use crate::stream::{DAY, Stream};

/// So long after the last one a visit is another.
const VISIT: f64 = 3700.0;

/// Twelve people buy things for two days.
fn shop() -> Stream {
    let mut stream = Stream::people();
    for person in 0..12 {
        for visit in 0..6 {
            let at = f64::from(visit) * 7.0 * 3600.0 + f64::from(person) * 100.0;
            for (step, route) in
                ["GET /items", "POST /cart", "GET /cart", "POST /checkout"].iter().enumerate()
            {
                // One visit goes on after a pause: its cart is not seen.
                if (person, visit) != (5, 3) || step == 3 {
                    stream.add(at + step as f64 * 20.0, &format!("p{person}"), route, json!({}));
                }
            }
        }
    }
    stream
}

#[test]
fn checkouts_without_a_cart_are_found_at_the_third() {
    assert_eq!(shop().by("sequence"), Vec::<Value>::new());
    let mut stream = shop();
    for n in 0..4 {
        stream.add(2.1 * DAY + f64::from(n) * 60.0, "p3", "POST /checkout", json!({}));
    }
    let findings = stream.by("sequence");
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!("p3")));
    assert_eq!(findings[0]["evidence"]["missing_steps"], 3);
}

/// Visits of two dozen people to a shop, with an item in the cart in all but one of so many, by these clients in turn.
fn visits(lacking: u32, clients: &[&str]) -> Stream {
    let mut stream = Stream::people();
    for n in 0..48u32 {
        let (at, who) = (f64::from(n) * 1000.0, format!("p{}", n % 24));
        let client = json!({ "client": clients[n as usize % clients.len()] });
        if (n + 5) % lacking != 0 {
            stream.add(at, &who, "POST /cart", client.clone());
        }
        stream.add(at + 30.0, &who, "POST /checkout", client);
    }
    stream
}

/// What is told of somebody who checks out four times in a visit with this client.
fn checkouts(mut stream: Stream, client: &str) -> usize {
    for n in 0..4 {
        let more = json!({ "client": client });
        stream.add(2.1 * DAY + f64::from(n) * 60.0, "p30", "POST /checkout", more);
    }
    stream.by("sequence").iter().filter(|it| it["subject"] == "p30").count()
}

#[test]
fn clients_of_one_product_teach_together_and_one_that_works_otherwise_is_left_alone() {
    let clients = ["web", "ios", "android", "tv"];
    assert_eq!(checkouts(visits(100, &clients), "ios"), 1, "twelve visits with each");
    assert_eq!(checkouts(visits(100, &clients), "other"), 0, "nobody knows how it works");
    assert_eq!(checkouts(visits(10, &clients), "ios"), 0, "many do so");
    let mut reorder = visits(100, &clients);
    for n in 0..5u32 {
        let more = json!({ "client": "reorder" });
        reorder.add(1000.0 * f64::from(n), &format!("r{n}"), "POST /checkout", more);
    }
    assert_eq!(checkouts(reorder, "reorder"), 0, "a client without a cart");
}

#[test]
fn what_is_only_looked_at_first_is_not_needed_before_it_is_known_for_long() {
    let run = |visits: u32| {
        let mut stream = Stream::people();
        for n in 0..visits {
            let (at, who) = (f64::from(n) * 1000.0, format!("p{}", n % 24));
            stream.add(at, &who, "GET /rooms", json!({}));
            stream.add(at + 30.0, &who, "PUT /rooms/{id}", json!({ "object": "1" }));
        }
        for n in 0..4 {
            let at = 2.1 * DAY + f64::from(n) * VISIT;
            stream.add(at, "p30", "PUT /rooms/{id}", json!({ "object": "1" }));
        }
        stream.by("sequence").len()
    };
    assert_eq!((run(60), run(130)), (0, 1));
}

#[test]
fn who_lacks_a_step_again_and_again_does_not_teach_to_lack_it() {
    let mut stream = visits(100, &["web"]);
    for n in 0..12 {
        let more = json!({ "client": "web" });
        stream.add(1.0 * DAY + f64::from(n) * 5000.0, "p31", "POST /checkout", more);
    }
    assert_eq!(checkouts(stream, "web"), 1);
}

fn throttled(stream: &mut Stream, at: f64, token: u32, route: &str, is_over: bool) {
    let mut more = json!({ "ip": "100.64.0.1", "token": format!("t{token}"), "object": "1" });
    if is_over {
        more["status"] = json!(429);
        more["refused"] = json!("throttled");
    }
    stream.add(at, &format!("s{token}"), route, more);
}

#[test]
fn tokens_in_turn_are_evasion() {
    let mut stream = Stream::people();
    for n in 0..100 {
        let at = 2.1 * DAY + f64::from(n);
        throttled(&mut stream, at, n / 5 % 5, "GET /items/{id}", n % 5 == 4);
    }
    let findings = stream.by("throttle_evasion");
    assert_eq!((findings.len(), &findings[0]["ip"]), (1, &json!("100.64.0.1")));
    assert_eq!(findings[0]["client"], "app");
}

#[test]
fn throttled_people_behind_a_carrier_are_no_evasion() {
    let mut stream = Stream::people();
    for n in 0..600u32 {
        let at = 2.1 * DAY + f64::from(n) * 0.9;
        throttled(&mut stream, at, n * 7 % 40, "GET /items/{id}", n % 9 == 0);
    }
    assert_eq!(stream.by("throttle_evasion"), Vec::<Value>::new());
}

#[test]
fn one_subject_with_several_tokens_is_named() {
    let mut stream = Stream::people();
    for n in 0..56 {
        let more = json!({
            "ip": "203.0.113.66", "token": format!("t{}", n / 14), "object": "1",
            "status": if n % 14 < 12 { 200 } else { 429 },
            "refused": if n % 14 < 12 { Value::Null } else { json!("throttled") },
        });
        stream.add(2.1 * DAY + f64::from(n) * 0.7, "p3", "GET /items/{id}", more);
    }
    let findings = stream.by("throttle_evasion");
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!("p3")));
}

#[test]
fn at_work_it_takes_six_times_as_many() {
    let told = |mut stream: Stream, count: u32, net: &str| {
        for n in 0..count {
            let at = 2.1 * DAY + f64::from(n) * 60.0;
            stream.add(at, "p30", "POST /checkout", json!({ "net": net }));
        }
        stream.by("sequence").len()
    };
    let first = |count, net| told(visits(100, &["app"]), count, net);
    assert_eq!([18, 17].map(|count| first(count, "business")), [1, 0]);
    assert_eq!(
        ["residential", "hosting"].map(|net| [3, 2].map(|count| first(count, net))),
        [[1, 0]; 2]
    );
    let again = |count, net| told(again(&["POST /cart", "POST /checkout"]), count, net);
    assert_eq!([37, 36].map(|count| again(count, "business")), [1, 0], "after a first one");
    assert_eq!([7, 6].map(|count| again(count, "residential")), [1, 0]);
}

#[test]
fn what_is_missing_at_work_and_elsewhere_is_counted_apart() {
    let told = |counts: [u32; 2], nets: [&str; 2], mut stream: Stream| {
        for (n, net) in (0..counts[0])
            .map(|n| (n, nets[0]))
            .chain((0..counts[1]).map(|n| (counts[0] + n, nets[1])))
        {
            let at = 2.1 * DAY + f64::from(n) * 60.0;
            stream.add(at, "p30", "POST /checkout", json!({ "net": net }));
        }
        let findings = stream.by("sequence");
        let missing = |it: &Value| it["evidence"]["missing_steps"].as_u64().unwrap();
        findings.iter().map(missing).collect::<Vec<u64>>()
    };
    let at_work_first =
        |work, home| told([work, home], ["business", "residential"], visits(100, &["app"]));
    assert_eq!([[15, 2], [17, 2]].map(|[work, home]| at_work_first(work, home)), [[0u64; 0]; 2]);
    assert_eq!([1, 2, 17].map(|work| at_work_first(work, 3)), [[3]; 3]);
    assert_eq!(at_work_first(18, 3), [18, 3]);
    let at_home_first =
        |home, work| told([home, work], ["residential", "business"], visits(100, &["app"]));
    assert_eq!([[2, 17], [2, 15]].map(|[home, work]| at_home_first(home, work)), [[0u64; 0]; 2]);
    assert_eq!(at_home_first(2, 18), [18]);
    let again = |work, home| {
        let stream = again(&["POST /cart", "POST /checkout"]);
        told([work, home], ["business", "residential"], stream)
    };
    assert_eq!([6, 5].map(|home| again(30, home)), [vec![6], vec![]], "what is done again");
}

/// Sixty visits of two dozen people who check out what they put into the cart, and again after this.
fn again(between: &[&str]) -> Stream {
    let mut stream = Stream::people();
    for n in 0..60u32 {
        let (at, who) = (f64::from(n) * 2000.0, format!("p{}", n % 24));
        let first = ["POST /cart", "POST /checkout"];
        let again: &[&str] = if n % 4 == 0 { between } else { &[] };
        for (step, route) in first.iter().chain(again).enumerate() {
            stream.add(at + step as f64 * 30.0, &who, route, json!({}));
        }
    }
    stream.add(2.1 * DAY - 30.0, "p30", "POST /cart", json!({}));
    stream
}

#[test]
fn a_step_is_needed_again_before_what_is_done_again() {
    let told = |between: &[&str], count: u32| {
        let mut stream = again(between);
        for n in 0..count {
            stream.add(2.1 * DAY + f64::from(n) * 60.0, "p30", "POST /checkout", json!({}));
        }
        stream.by("sequence").len()
    };
    assert_eq!(told(&["POST /cart", "POST /checkout"], 7), 1);
    assert_eq!(told(&[], 7), 1, "hardly anybody does it again");
    assert_eq!(told(&[], 6), 0, "five times for one cart");
    assert_eq!(told(&["POST /checkout"], 7), 0, "it is done again without");
}

/// Where rooms are looked at before they are changed, what is told of somebody who looks and changes at these times.
fn changes_rooms(look: &str, status: u16, looks: &[f64], changes: &[f64]) -> usize {
    let mut stream = Stream::people();
    for n in 0..130 {
        let (at, who) = (f64::from(n) * 1000.0, format!("p{}", n % 24));
        stream.add(at, &who, "GET /rooms", json!({}));
        stream.add(at + 30.0, &who, "PUT /rooms/{id}", json!({ "object": "1" }));
    }
    for at in looks {
        stream.add(2.1 * DAY + at, "p30", look, json!({ "status": status }));
    }
    for at in changes {
        stream.add(2.1 * DAY + at, "p30", "PUT /rooms/{id}", json!({ "object": "1" }));
    }
    stream.by("sequence").len()
}

#[test]
fn a_step_that_failed_or_a_page_that_was_left_open_is_not_missing() {
    let visits = [0.0, 1.0, 2.0, 3.0].map(|n| n * VISIT);
    let before = visits.map(|at| at - 30.0);
    let run = |look, status| changes_rooms(look, status, &before, &visits);
    assert_eq!(run("GET /rooms", 200), 0);
    assert_eq!(run("GET /rooms", 503), 0, "an outage");
    assert_eq!(run("GET /rooms", 403), 1, "who may not look has not looked");
    assert_eq!(run("GET /items", 200), 1);
    let opened =
        |hours: f64, changes: &[f64]| changes_rooms("GET /rooms", 200, &[-hours * 3600.0], changes);
    assert_eq!([3, 4].map(|count| opened(5.0, &visits[..count])), [0, 1], "of the morning");
    assert_eq!([2, 3].map(|count| opened(30.0, &visits[..count])), [0, 1], "of yesterday");
    let again =
        |first: &[f64]| opened(5.0, &[first, &[VISIT + 120.0, 2.0 * VISIT + 120.0]].concat());
    assert_eq!(again(&[0.0, 60.0]), 0, "for a change and another");
    assert_eq!(again(&[0.0, 60.0, 120.0]), 1, "and no third");
}

#[test]
fn a_look_that_a_visit_lacks_counts_half_at_each_of_the_same_changes_but_the_first() {
    let told = |changes: &[f64]| changes_rooms("GET /items", 200, &[], changes);
    let every =
        |pause: f64, count: u32| (0..count).map(|n| f64::from(n) * pause).collect::<Vec<f64>>();
    assert_eq!([4, 5].map(|count| told(&every(60.0, count))), [0, 1]);
    assert_eq!([4, 5].map(|count| told(&every(3500.0, count))), [0, 1], "within one visit all day");
    assert_eq!([2, 3].map(|count| told(&every(VISIT, count))), [0, 1], "in as many visits");
    assert_eq!(told(&[0.0, 60.0, VISIT, VISIT + 60.0]), 1, "a visit and a half, twice");
}

/// Thirty-five people who fill a cart before they check out, send a gift, or give a tip.
fn steps(stream: &mut Stream) {
    for n in 0..90u32 {
        let (at, who) = (f64::from(n) * 1000.0, format!("p{}", n % 35));
        let last = ["POST /checkout", "POST /gift", "POST /tip"][n as usize % 3];
        stream.add(at, &who, "POST /cart", json!({}));
        stream.add(at + 30.0, &who, last, json!({}));
    }
}

#[test]
fn different_steps_that_one_visit_lacks_count_each() {
    const PAIRS: [[&str; 2]; 3] = [
        ["POST /cart", "POST /checkout"],
        ["POST /drafts", "POST /letters"],
        ["POST /forms", "POST /claims"],
    ];
    let told = |changes: &[[&str; 2]]| {
        let mut stream = Stream::people();
        for n in 0..90u32 {
            let (at, who) = (f64::from(n) * 1000.0, format!("p{}", n % 35));
            for (step, route) in PAIRS[n as usize % 3].iter().enumerate() {
                stream.add(at + step as f64 * 30.0, &who, route, json!({}));
            }
        }
        for (n, [_, change]) in changes.iter().enumerate() {
            stream.add(2.1 * DAY + n as f64 * 60.0, "p30", change, json!({}));
        }
        stream.by("sequence").len()
    };
    assert_eq!([told(&PAIRS), told(&PAIRS[..2])], [1, 0]);
}

#[test]
fn one_step_that_a_visit_lacks_counts_once_before_different_changes_and_each_time_before_the_same()
{
    let told = |pause: f64, changes: &[&str]| {
        let mut stream = Stream::people();
        steps(&mut stream);
        for (n, change) in changes.iter().enumerate() {
            stream.add(2.1 * DAY + n as f64 * pause, "p30", change, json!({}));
        }
        stream.by("sequence").len()
    };
    let [checkout, gift, tip] = ["POST /checkout", "POST /gift", "POST /tip"];
    assert_eq!(told(60.0, &[checkout, gift, tip]), 0);
    assert_eq!(told(60.0, &[checkout, gift, tip, checkout, gift, tip]), 0, "in turn");
    assert_eq!(told(60.0, &[checkout, checkout, checkout]), 1, "the same again and again");
    assert_eq!(told(60.0, &[checkout, gift, checkout, checkout]), 1);
    assert_eq!(told(VISIT, &[checkout, gift, tip]), 1, "in a visit each");
    assert_eq!(told(VISIT, &[checkout, gift]), 0);
}
