//! Programs on their first day: one that wakes up, and one that asks for far more than it did.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

/// A program that begins at this hour with so many administrators' functions, so many seconds apart and with these
/// members; how often that is told.
fn wakes(hour: f64, functions: u32, apart: f64, more: &Value) -> usize {
    told(woken(hour, functions, apart, more))
}

fn woken(hour: f64, functions: u32, apart: f64, more: &Value) -> Stream {
    let mut stream = Stream::people();
    let mut members = json!({ "client": "job" });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    let route = members["of"].take();
    for n in 0..functions {
        let route = route.as_str().map_or_else(|| format!("GET /admin/task{n}"), str::to_owned);
        let at = hour * HOUR + f64::from(n) * apart;
        stream.add(at, "job", &route.replace('#', &n.to_string()), members.clone());
    }
    stream
}

fn told(stream: Stream) -> usize {
    let mut findings = stream.by("function_probing");
    findings.retain(|it| it["evidence"]["administrators_functions_threshold"].is_u64());
    findings.len()
}

#[test]
fn a_program_that_wakes_up_with_five_administrators_functions_is_told() {
    let none = json!({});
    assert_eq!([9, 5, 4].map(|functions| wakes(20.0, functions, 60.0, &none)), [1, 1, 0]);
    // People began at midnight.
    let half_a_day = [12.0, 12.0 - 1.0 / 3600.0];
    assert_eq!(half_a_day.map(|hour| wakes(hour, 5, 60.0, &none)), [1, 0]);
    assert_eq!([899.75, 900.0].map(|apart| wakes(20.0, 5, apart, &none)), [1, 0], "its first hour");
    for more in [
        json!({ "status": 403 }),
        json!({ "status": 403, "refused": "policy" }),
        json!({ "subject": "svc:job" }),
        json!({ "subject": null }),
        json!({ "of": "POST /internal/f#" }),
        json!({ "of": "GET /v1/f#/superuser" }),
    ] {
        assert_eq!(wakes(20.0, 5, 60.0, &more), 1, "{more}");
    }
}

#[test]
fn people_and_programs_that_were_there_earlier_do_not_wake_up() {
    for more in [
        json!({ "subject": "p30" }),
        json!({ "subject": "p30", "client": "app" }),
        json!({ "subject": "job-3" }),
        json!({ "of": "GET /orders/f#" }),
        json!({ "of": "GET /administrators/f#" }),
        json!({ "of": "GET /admin/f" }),
    ] {
        assert_eq!(wakes(20.0, 9, 60.0, &more), 0, "{more}");
    }
    let seen = |ago: f64| {
        let mut stream = woken(20.0, 5, 60.0, &json!({}));
        stream.add(20.0 * HOUR - ago, "job", "GET /orders", json!({ "client": "job" }));
        told(stream)
    };
    assert_eq!([3359.0, 3360.0, 18.0 * HOUR].map(seen), [1, 0, 0]);
    let mut mixed = woken(20.0, 4, 60.0, &json!({}));
    for n in 0..9 {
        let (at, route) = (20.1 * HOUR + f64::from(n), format!("GET /orders/f{n}"));
        mixed.add(at, "job", &route, json!({ "client": "job" }));
    }
    assert_eq!(told(mixed), 0, "four of thirteen");
}

/// Somebody who is there from half past midnight, asks for this so often an hour until six, and then so often, the last
/// time so many seconds after the first.
fn asks(habit: u32, count: u32, last: f64, more: &Value) -> Stream {
    let mut stream = Stream::people();
    let mut members = json!({ "client": "svc", "bytes_out": 100_000, "records_out": 10 });
    for (name, value) in more.as_object().expect("members") {
        members[name] = value.clone();
    }
    let first = members["first"].take();
    let route = "GET /stock";
    for hour in 0..6 {
        for n in 0..habit {
            let at = f64::from(hour) * HOUR + 1800.0 + f64::from(n) * 1700.0 / f64::from(habit);
            stream.add(at, "svc", first.as_str().unwrap_or(route), members.clone());
        }
    }
    for n in 0..count {
        let at = 1800.0 + last - f64::from(count - 1 - n);
        stream.add(at, "svc", route, members.clone());
    }
    stream
}

#[test]
fn a_program_that_asks_for_far_more_on_its_first_day_is_told_after_six_hours() {
    let told = |habit, count, last| asks(habit, count, last, &json!({})).by("volume").len();
    let six = 6.0 * HOUR;
    assert_eq!([six, six - 1.0].map(|last| told(20, 601, last)), [1, 0]);
    assert_eq!([601, 600].map(|count| told(20, count, six)), [1, 0], "thirty times its peak");
    assert_eq!([501, 500].map(|count| told(10, count, six)), [1, 0], "twice the least");
    assert_eq!(told(20, 1200, six + 600.0), 1, "once");
}

#[test]
fn people_new_routes_and_data_have_a_day() {
    let volumes = |more: &Value| asks(20, 900, 6.0 * HOUR + 600.0, more).by("volume").len();
    for none in [
        json!({ "subject": "p30" }),
        json!({ "subject": "p30", "client": "app" }),
        json!({ "subject": "svc-3" }),
        json!({ "first": "GET /status" }),
    ] {
        assert_eq!(volumes(&none), 0, "{none}");
    }
    let findings = asks(20, 900, 6.0 * HOUR + 600.0, &json!({})).findings();
    let told: Vec<&str> = findings.iter().filter_map(|it| it["detector"].as_str()).collect();
    assert_eq!(told, ["volume"]);
}

#[test]
fn after_a_day_ten_times_a_programs_peak_are_enough() {
    let told = |count| {
        let mut stream = Stream::people();
        for n in 0..100 {
            stream.add(f64::from(n) * 30.0, "svc", "GET /stock", json!({ "client": "svc" }));
        }
        for n in 0..count {
            let at = DAY + HOUR + f64::from(n);
            stream.add(at, "svc", "GET /stock", json!({ "client": "svc" }));
        }
        stream.by("volume").len()
    };
    assert_eq!([1001, 900].map(told), [1, 0]);
}
