//! Collections where hardly anybody opens what another opened, and hardly anything beyond the lists.

use serde_json::{Value, json};

use crate::stream::{HOUR, Stream};

const LIST: &str = "GET /orders";
const ONE: &str = "GET /orders/{id}";

/// People of a client, and what one does among them.
struct Scene {
    /// Who ask for a list and open so many of their own, and so many more.
    people: u32,
    each: u32,
    beyond: u32,
    /// So many of them open what the next one has.
    guests: u32,
    /// How many a clerk opens, as whoever is let use an administrator's functions does.
    clerk: u32,
    /// What the one's list gives, and how many of others' that one opens.
    listed: u32,
    opens: u32,
    /// In an hour of the day before, or of this day.
    before: Option<(f64, u32)>,
}

const SCENE: Scene = Scene {
    people: 30,
    each: 3,
    beyond: 0,
    guests: 0,
    clerk: 22,
    listed: 3,
    opens: 40,
    before: None,
};

// === impl Scene ===

impl Scene {
    fn stream(&self) -> Stream {
        let mut stream = Stream::default();
        for person in 0..self.people {
            let (at, who) = (f64::from(person) * 30.0, format!("p{person}"));
            stream.add(at, &who, LIST, json!({ "records_out": self.each }));
            opens(&mut stream, at + 1.0, &who, 20_000 + person * 1000, self.each + self.beyond);
            if person < self.guests {
                let next = 20_000 + (person + 1) * 1000;
                opens(&mut stream, 0.9 * HOUR + f64::from(person), &who, next, 1);
            }
        }
        stream.add(2.0 * HOUR, "clerk", "GET /admin/home", json!({}));
        opens(&mut stream, 2.0 * HOUR + 1.0, "clerk", 400_000, self.clerk);
        stream
    }

    /// What is said of the one, who was first at that function, with that answer.
    fn told(&self, function: &str, status: u16) -> Vec<Value> {
        let mut stream = self.stream();
        let at = 30.0 * HOUR;
        stream.add(at - 100.0, "one", function, json!({ "status": status }));
        if let Some((ago, count)) = self.before {
            opens(&mut stream, at - ago * HOUR, "one", 600_000, count);
        }
        stream.add(at, "one", LIST, json!({ "records_out": self.listed }));
        opens(&mut stream, at + 1.0, "one", 700_000, self.opens);
        rare(stream)
    }

    fn count(&self) -> usize {
        self.told("GET /home", 200).iter().filter(|it| it["subject"] == "one").count()
    }
}

fn opens(stream: &mut Stream, at: f64, who: &str, first: u32, count: u32) {
    for n in 0..count {
        let object = json!({ "object": format!("{}", first + n * 13) });
        stream.add(at + f64::from(n) * 5.0, who, ONE, object);
    }
}

/// What is told because nine in ten others hardly do it.
fn rare(stream: Stream) -> Vec<Value> {
    let mut findings = stream.by("bola_ownership");
    findings.retain(|it| it["evidence"].get("peers_p90").is_some());
    findings
}

/// So many who take others', in turn or one after the other, where so many people have their own: how many are told.
fn thieves(people: u32, count: u32, in_turn: bool) -> usize {
    let mut stream = Scene { people, ..SCENE }.stream();
    for n in 0..count * 40 {
        let (thief, step) = if in_turn { (n % count, n / count) } else { (n / 40, n % 40) };
        let (at, who) = (10.0 * HOUR + f64::from(n), format!("thief{thief}"));
        if step == 0 {
            stream.add(at - 0.5, &who, LIST, json!({ "records_out": 3 }));
        }
        opens(&mut stream, at, &who, 500_000 + n * 17, 1);
    }
    let mut named: Vec<Value> = rare(stream).into_iter().map(|it| it["subject"].clone()).collect();
    named.sort_by_key(Value::to_string);
    named.dedup();
    named.len()
}

fn opened(opens: u32) -> usize {
    Scene { opens, ..SCENE }.count()
}

#[test]
fn more_than_fifteen_objects_that_no_list_gave_are_told_where_nine_in_ten_open_none() {
    // Numbers are counted with an error of some per cent.
    assert_eq!([18, 17].map(opened), [1, 0]);
    assert_eq!(opened(80), 1, "once");
    let findings = SCENE.told("GET /home", 200);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    let facts = ["amount", "limit", "opened", "given_by_lists", "own_peak", "peers_p90"];
    assert_eq!(
        facts.map(|it| finding["evidence"][it].as_f64()),
        [16, 15, 19, 3, 0, 0].map(|it| Some(f64::from(it)))
    );
    assert!(finding["evidence"].get("peers_p99").is_none());
    let summary = finding["evidence"]["summary"].as_str().unwrap_or_default();
    assert!(summary.contains("90 of 100 others of the client stay below 0"), "{summary}");
}

#[test]
fn eight_times_what_nine_in_ten_do_and_four_times_what_lists_gave_are_too_much() {
    let where_others = |opens| Scene { beyond: 2, opens, ..SCENE }.count();
    assert_eq!([23, 22].map(where_others), [1, 0]);
    let listed = |listed, opens| Scene { listed, opens, ..SCENE }.count();
    assert_eq!([34, 33].map(|opens| listed(7, opens)), [1, 0]);
    assert_eq!(listed(0, 16), 1, "no list");
}

#[test]
fn fifteen_people_use_the_collection_thirty_two_times() {
    let among = |people| Scene { people, ..SCENE }.count();
    assert_eq!([13, 12].map(among), [1, 0], "and the one and the clerk");
    let first =
        |people, opens| Scene { people, each: 1, clerk: 0, listed: 0, opens, ..SCENE }.count();
    assert_eq!([20, 19].map(|opens| first(14, opens)), [1, 0]);
    assert_eq!([18, 17].map(|opens| first(16, opens)), [1, 0]);
}

#[test]
fn where_more_than_one_in_six_open_what_another_opened_it_is_shared() {
    let with = |guests| Scene { guests, opens: 18, ..SCENE }.count();
    assert_eq!([26, 27].map(with), [1, 0]);
}

#[test]
fn whoever_is_let_use_an_administrators_function_may_open_what_no_list_gave() {
    let after = |function, status| SCENE.told(function, status).len();
    assert_eq!([200, 403, 404].map(|status| after("GET /admin/home", status)), [0, 1, 1]);
    assert_eq!(after("GET /home", 200), 1);
}

#[test]
fn three_times_what_somebody_opened_the_day_before_are_too_much() {
    let after =
        |hours, opens| Scene { before: Some((hours, 10)), listed: 0, opens, ..SCENE }.count();
    assert_eq!([24, 23].map(|opens| after(26.0, opens)), [1, 0]);
    assert_eq!([16, 15].map(|opens| after(22.0, opens)), [1, 0], "on the first day it is no habit");
}

#[test]
fn several_thieves_do_not_hide_each_other_while_they_are_fewer_than_one_in_ten() {
    assert_eq!(thieves(30, 3, true), 3);
    // With the clerk.
    assert_eq!([35, 34].map(|people| thieves(people, 4, true)), [4, 0]);
    assert_eq!(thieves(30, 8, false), 8, "who was told of is nobody to be compared with");
}

#[test]
fn what_somebody_opens_again_or_is_refused_makes_no_collection_shared() {
    let after = |before: &dyn Fn(&mut Stream)| {
        let mut stream = SCENE.stream();
        before(&mut stream);
        stream.add(30.0 * HOUR, "one", LIST, json!({ "records_out": 3 }));
        opens(&mut stream, 30.0 * HOUR + 1.0, "one", 700_000, 18);
        rare(stream).iter().filter(|it| it["subject"] == "one").count()
    };
    let own = |stream: &mut Stream| {
        for n in 0..240u32 {
            let (at, person) = (4.0 * HOUR + f64::from(n), n % 30);
            opens(stream, at, &format!("p{person}"), 20_000 + person * 1000, 1);
        }
    };
    assert_eq!(after(&own), 1, "their own");
    let shared = |stream: &mut Stream| {
        for n in 0..80u32 {
            let at = 4.0 * HOUR + f64::from(n) * 70.0;
            opens(stream, at, &format!("p{}", 5 + n % 2), 25_000, 1);
        }
    };
    assert_eq!(after(&shared), 1, "what two have");
    let refused = |stream: &mut Stream| {
        for n in 0..90u32 {
            let object = format!("{}", 20_000 + n / 3 * 1000 + n % 3 * 13);
            let more = json!({ "object": object, "status": 404 });
            stream.add(4.0 * HOUR + f64::from(n), "p0", ONE, more);
        }
    };
    assert_eq!(after(&refused), 1, "what refuses");
    let again = |stream: &mut Stream| {
        for n in 0..120u32 {
            let (at, person) = (4.0 * HOUR + f64::from(n) * 20.0, n % 5);
            opens(stream, at, "thief", 20_000 + person * 1000, 1);
        }
    };
    assert_eq!(after(&again), 1, "what a thief opens again and again");
    let taken = |stream: &mut Stream| {
        for n in 0..60u32 {
            let (thief, person) = (n % 2, n / 2);
            let at = 4.0 * HOUR + f64::from(n) * 20.0;
            opens(stream, at, &format!("thief{thief}"), 20_000 + person * 1000, 1);
        }
    };
    assert_eq!(after(&taken), 1, "what two thieves take");
}
