//! The clock of requests for different routes in turn.

use serde_json::json;

use crate::stream::{HOUR, Stream};

/// Two dozen people who signed in, and one who asks for these after these pauses; how often that one is told.
fn beats(asks: impl Iterator<Item = (f64, String, u32)>) -> usize {
    let mut stream = Stream::default();
    for person in 0..24 {
        let who = format!("p{person}");
        stream.add(f64::from(person), &who, "GET /orders", json!({ "session": who }));
    }
    let mut at = HOUR;
    for (pause, route, object) in asks {
        at += pause;
        let mut more = json!({ "session": "s30" });
        if route.ends_with("{id}") {
            more["object"] = json!(format!("o{object}"));
        }
        stream.add(at, "p30", &route, more);
    }
    stream.by("automation").len()
}

/// One of so many routes in turn, after each of these pauses.
fn turns(pauses: &[f64], routes: usize) -> usize {
    let ask = |(n, pause): (usize, &f64)| (*pause, format!("GET /r{}", n % routes), 0);
    beats([0.0].iter().chain(pauses).enumerate().map(ask))
}

fn even(count: usize, pause: f64) -> Vec<f64> {
    vec![pause; count]
}

#[test]
fn sixty_pauses_for_six_things_or_seventy_five_are_a_programs() {
    assert_eq!([60, 59].map(|count| turns(&even(count, 30.0), 6)), [1, 0]);
    assert_eq!([6, 5].map(|routes| turns(&even(74, 30.0), routes)), [1, 0]);
    assert_eq!([75, 74].map(|count| turns(&even(count, 30.0), 2)), [1, 0]);
    assert_eq!([2, 1].map(|routes| turns(&even(99, 30.0), routes)), [1, 0]);
    assert_eq!([599.9, 600.0].map(|pause| turns(&even(99, pause), 6)), [1, 0], "a monitor");
    let objects = |of: u32| {
        let route = |n: u32| ["GET /rooms/{id}", "GET /desks/{id}"][n as usize % 2].to_owned();
        beats((0..70).map(|n| (30.0, route(n), n / 2 % of)))
    };
    assert_eq!([3, 2].map(objects), [1, 0], "of two routes");
}

/// So many times by one route, in between one after the other of two; then so many times in turn.
fn late(first: u32, same: u32, last: u32) -> usize {
    let is_turn = |n: u32| n <= first || n > first + same;
    let route = |n: u32| (0..=n).filter(|it| is_turn(*it)).count() % 2;
    beats((0..=first + same + last).map(|n| (30.0, format!("GET /r{}", route(n)), 0)))
}

#[test]
fn one_of_four_is_for_another_route_than_the_one_before() {
    assert_eq!([18, 17].map(|turns| late(turns, 75 - turns, 0)), [1, 0]);
    assert_eq!([18, 17].map(|turns| late(0, 75 - turns, turns)), [1, 0], "at the end");
    assert_eq!([42, 41].map(|turns| late(0, 255, turns)), [1, 0], "the half of what was long ago");
    assert_eq!([35, 34].map(|turns| late(10, 245, turns)), [1, 0]);
}

#[test]
fn half_a_pause_off_the_beat_begins_another_run() {
    let off = |pause: f64| turns(&[even(50, 30.0), vec![pause], even(50, 30.0)].concat(), 7);
    assert_eq!([45.0, 45.1].map(off), [1, 0]);
    assert_eq!([15.0, 14.9].map(off), [1, 0]);
    assert_eq!([0.29, 0.3].map(off), [1, 0], "a part of a page");
    let uneven = |part: f64| {
        let pause = |n| 30.0 * (1.0 + if n % 2 == 0 { part } else { -part });
        turns(&(0..99).map(pause).collect::<Vec<f64>>(), 7)
    };
    assert_eq!([0.11, 0.13].map(uneven), [1, 0]);
    let again = |count| turns(&[even(50, 30.0), vec![900.0], even(count, 30.0)].concat(), 2);
    assert_eq!([75, 74].map(again), [1, 0], "and counts from its beginning");
    let after = |before, routes: usize| {
        let pauses = [even(50, 30.0), vec![900.0], even(74, 30.0)].concat();
        let route = |n: usize| n % if n <= 50 { before } else { routes };
        let ask = |(n, pause): (usize, &f64)| (*pause, format!("GET /r{}", route(n)), 0);
        beats([0.0].iter().chain(&pauses).enumerate().map(ask))
    };
    assert_eq!([(2, 6), (6, 2), (2, 1)].map(|(before, routes)| after(before, routes)), [1, 0, 0]);
}
