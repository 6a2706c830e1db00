//! What is found before habits are known: objects that no list gave, clocks, and data; and visits on two devices.

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream};

/// Two dozen people for some hours, who ask the list and open a few things from it.
fn readers() -> Stream {
    let mut stream = Stream::default();
    for person in 0..24u32 {
        for visit in 0..3u32 {
            let at = f64::from(visit) * HOUR + f64::from(person) * 70.0;
            let who = format!("p{person}");
            stream.add(at, &who, "GET /orders", json!({ "records_out": 6, "session": who }));
            for n in 0..4 {
                let object = json!({ "object": format!("{}", person * 100 + n), "session": who });
                stream.add(at + 20.0 * f64::from(n + 1), &who, "GET /orders/{id}", object);
            }
        }
    }
    stream
}

/// Forty things, some seconds apart, after a list of so many.
fn walk(stream: &mut Stream, listed: Option<u32>) {
    if let Some(records) = listed {
        stream.add(5.4 * HOUR, "p3", "GET /orders", json!({ "records_out": records }));
    }
    for n in 0..40 {
        let object = json!({ "object": format!("{}", 90_000 + n * 13) });
        stream.add(5.5 * HOUR + f64::from(n) * 80.0, "p3", "GET /orders/{id}", object);
    }
}

#[test]
fn objects_that_no_list_gave_are_somebody_elses() {
    assert_eq!(readers().findings(), Vec::<Value>::new());
    for (listed, told) in [(None, 1), (Some(6), 1), (Some(50), 0)] {
        let mut stream = readers();
        walk(&mut stream, listed);
        let findings = stream.by("bola_ownership");
        assert_eq!(findings.len(), told, "{listed:?}");
        assert!(findings.iter().all(|finding| finding["subject"] == "p3"));
    }
}

/// Where people open some eight things more than the list gave, somebody opens so many, who was
/// there a day before or was not.
fn beyond_lists(count: u32, is_known: bool) -> usize {
    let mut stream = Stream::default();
    let mut visit = |at: f64, who: &str, records: u32, first: u32, count: u32| {
        stream.add(at, who, "GET /orders", json!({ "records_out": records }));
        for n in 0..count {
            let object = json!({ "object": format!("{}", first + n * 13) });
            stream.add(at + 10.0 * f64::from(n + 1), who, "GET /orders/{id}", object);
        }
    };
    for person in 0..40u32 {
        for n in 0..4u32 {
            let at = f64::from(n) * 3.0 * HOUR + f64::from(person) * 70.0;
            let first = 100_000 + (person * 4 + n) * 1000;
            visit(DAY + at, &format!("p{person}"), 2, first, 10);
        }
    }
    if is_known {
        visit(HOUR, "p90", 2, 90_000, 3);
    }
    visit(DAY + 13.0 * HOUR, "p90", 2, 10_000, count);
    stream.by("bola_ownership").iter().filter(|it| it["subject"] == "p90").count()
}

#[test]
fn whoever_is_not_known_for_a_day_may_open_twice_as_much_beyond_lists() {
    assert_eq!([26, 34, 54, 62].map(|count| beyond_lists(count, true)), [0, 1, 1, 1]);
    assert_eq!([26, 34, 54, 62].map(|count| beyond_lists(count, false)), [0, 0, 0, 1]);
}

#[test]
fn a_list_that_is_asked_late_makes_good_what_was_opened_before_anybody_knew_lists() {
    let told = |records: u32| {
        let mut stream = Stream::default();
        let open = |stream: &mut Stream, at: f64, from: u32, to: u32| {
            for n in from..to {
                let object = json!({ "object": format!("{}", 90_000 + n * 13) });
                stream.add(at + f64::from(n) * 5.0, "p3", "GET /orders/{id}", object);
            }
        };
        open(&mut stream, 60.0, 0, 40);
        for person in 10..34u32 {
            let (at, who) = (600.0 + f64::from(person) * 70.0, format!("p{person}"));
            for n in 0..4 {
                stream.add(at, &who, "GET /orders", json!({ "records_out": 6 }));
                let object = json!({ "object": format!("{}", person * 100 + n) });
                stream.add(at + 20.0 * f64::from(n + 1), &who, "GET /orders/{id}", object);
            }
        }
        stream.add(3200.0, "p3", "GET /orders", json!({ "records_out": records }));
        open(&mut stream, 3100.0, 40, 44);
        stream.by("bola_ownership").len()
    };
    assert_eq!([told(60), told(2)], [0, 1]);
}

#[test]
fn where_people_hardly_use_the_list_nothing_is_said() {
    let mut stream = Stream::default();
    for person in 0..24u32 {
        for n in 0..24 {
            let at = f64::from(n) * 400.0 + f64::from(person) * 7.0;
            let object = json!({ "object": format!("{}", person * 100 + n % 4) });
            stream.add(at, &format!("p{person}"), "GET /orders/{id}", object);
        }
    }
    walk(&mut stream, None);
    assert_eq!(stream.by("bola_ownership"), Vec::<Value>::new());
}

#[test]
fn what_somebody_makes_is_theirs() {
    let mut stream = readers();
    for n in 0..45 {
        let at = 5.5 * HOUR + f64::from(n) * 70.0;
        stream.add(at, "p3", "POST /orders", json!({ "status": 201 }));
        let object = json!({ "object": format!("{}", 90_000 + n) });
        stream.add(at + 2.0, "p3", "GET /orders/{id}", object);
    }
    assert_eq!(stream.by("bola_ownership"), Vec::<Value>::new());
}

/// Person 3 changes so many things in this way after a list of so many, where so many others changed six each before;
/// how often that is told.
fn changes(method: &str, count: u32, listed: Option<u32>, others: u32) -> usize {
    let mut stream = Stream::people();
    let mut change = |at: f64, who: &str, first: u32, count: u32| {
        for n in 0..count {
            let object = json!({ "object": format!("{}", first + n * 13) });
            stream.add(at + f64::from(n) * 40.0, who, &format!("{method} /orders/{{id}}"), object);
        }
    };
    for person in 4..4 + others {
        change(DAY + f64::from(person) * 61.0, &format!("p{person}"), 70_000 + person * 100, 6);
    }
    change(2.2 * DAY, "p3", 90_000, count);
    if let Some(records) = listed {
        stream.add(2.2 * DAY - 60.0, "p3", "GET /orders", json!({ "records_out": records }));
    }
    let findings = stream.by("bola_ownership");
    assert!(findings.iter().all(|finding| finding["subject"] == "p3"));
    findings.len()
}

#[test]
fn five_things_that_are_changed_and_no_list_gave_are_somebody_elses() {
    for method in ["PUT", "PATCH", "DELETE", "POST"] {
        let [five, four] = [5, 4].map(|count| changes(method, count, None, 0));
        assert_eq!((five, four), (1, 0), "{method}");
    }
    assert_eq!(changes("GET", 8, None, 0), 0, "they were only opened");
    assert_eq!([2, 8].map(|listed| changes("PUT", 8, Some(listed), 0)), [1, 0]);
    assert_eq!(changes("PUT", 6, None, 8), 0, "others do as much");
    assert_eq!(changes("PUT", 40, None, 8), 1, "and not so much");
}

#[test]
fn changes_beyond_lists_are_somebody_elses_if_they_are_as_many_as_lists_gave() {
    assert_eq!([11, 10].map(|count| changes("PUT", count, Some(6), 0)), [1, 0]);
    assert_eq!([17, 16].map(|count| changes("DELETE", count, Some(8), 0)), [1, 0]);
}

/// Requests each half minute, of these routes in turn; every tenth comes late by so much.
fn clock(routes: &[&str], late: f64) -> usize {
    let mut stream = readers();
    for n in 0..150usize {
        let off = if n % 10 == 0 { late } else { 0.0 };
        let at = HOUR + n as f64 * 30.0 + off;
        stream.add(at, "p30", routes[n % routes.len()], json!({ "session": "s30" }));
    }
    stream.by("automation").len()
}

#[test]
fn a_clock_that_asks_for_lists_is_a_program_and_an_open_page_is_not() {
    let routes = ["GET /a", "GET /b", "GET /c", "GET /d", "GET /e", "GET /f", "GET /g"];
    assert_eq!(clock(&routes, 0.0), 1);
    assert_eq!(clock(&routes[..2], 0.0), 1, "nothing asks for two things in turn by one clock");
    assert_eq!(clock(&routes[..1], 0.0), 0, "an app that polls");
    assert_eq!(clock(&routes, 20.0), 0, "somebody who uses it meanwhile");
}

/// A page that is open all day and asks for something each half minute: one of so many objects of one route.
#[test]
fn a_page_on_the_wall_that_shows_one_thing_after_the_other_is_no_program() {
    let wall = |regular: bool| {
        let mut stream = readers();
        for n in 0..2900u32 {
            let off = if regular { 0.0 } else { f64::from(n * n % 97) / 4.0 };
            let at = HOUR + f64::from(n) * 30.0 + off;
            let more = json!({ "object": format!("room{}", n * 5 % 7), "session": "s30" });
            stream.add(at, "p30", "GET /rooms/{id}", more);
        }
        for person in 0..6u32 {
            stream.add(9.0 * HOUR, &format!("p{person}"), "GET /orders", json!({}));
        }
        stream.by("automation").len()
    };
    assert_eq!((wall(true), wall(false)), (0, 1));
}

#[test]
fn many_records_are_found_within_the_first_hour() {
    let mut stream = readers();
    for n in 0..60 {
        let more = json!({ "records_out": 200, "bytes_out": 900 });
        stream.add(2.5 * HOUR + f64::from(n) * 15.0, "p3", "GET /orders", more);
    }
    let findings = stream.by("exfiltration");
    assert_eq!((findings.len(), &findings[0]["evidence"]["unit"]), (1, &json!("records")));
}

/// A file of so many bytes, in answers of at most so many.
fn takes_file(stream: &mut Stream, at: f64, person: &str, bytes: f64, answer: f64) {
    for n in 0..(bytes / answer).ceil() as u32 {
        let more = json!({ "bytes_out": (bytes - f64::from(n) * answer).min(answer) });
        stream.add(at + f64::from(n), person, "GET /files", more);
    }
}

#[test]
fn where_some_take_large_files_by_habit_a_larger_one_is_none() {
    let takes = |many: f64, some: f64, last: f64| {
        let mut stream = Stream::default();
        for person in 0..60u32 {
            for hour in 0..5 {
                let part = (person * 5 + hour) % 50;
                let bytes = if part == 0 { some } else { many };
                let at = f64::from(hour) * HOUR + f64::from(person) * 50.0;
                takes_file(&mut stream, at, &format!("p{person}"), bytes, 1e6);
            }
        }
        takes_file(&mut stream, 5.5 * HOUR, "p3", last, 1e6);
        stream.by("exfiltration").len()
    };
    assert_eq!(takes(2e5, 2e6, 1.2e7), 0);
    assert_eq!([9e6, 1.2e7].map(|last| takes(1.2e6, 2e6, last)), [0, 1], "four megabytes");
    assert_eq!(takes(2e5, 2e6, 9e7), 1);
}

#[test]
fn one_answer_is_an_export_and_many_are_a_theft() {
    let takes = |bytes: f64, answer: f64, members: &serde_json::Value| {
        let mut stream = readers();
        for n in 0..(bytes / answer) as u32 {
            let mut more = members.clone();
            more["bytes_out"] = json!(answer);
            more["path"] = json!(format!("/orders/of/{n}"));
            stream.add(2.5 * HOUR + f64::from(n), "p3", "GET /orders", more);
        }
        stream.by("exfiltration").len()
    };
    let of_person = json!({});
    assert_eq!(takes(9e6, 9e6, &of_person), 0, "one export");
    assert_eq!(takes(9e6, 4.5e5, &of_person), 1, "as much, piece by piece");
    assert_eq!([8.1e7, 9e7].map(|bytes| takes(bytes, 9e6, &of_person)), [0, 1], "ten exports");
    assert_eq!(takes(9e8, 9e8, &of_person), 0, "one export, however large");
    assert_eq!([5e9, 6e9].map(|bytes| takes(bytes, 1e9, &of_person)), [0, 1], "six of them");
}

#[test]
fn a_file_counts_for_less_than_a_megabyte_and_a_half_and_small_ones_in_full() {
    let takes = |files: &[u64]| {
        let mut stream = readers();
        for (n, bytes) in files.iter().enumerate() {
            let more = json!({ "bytes_out": bytes, "path": format!("/files/{n}") });
            stream.add(3.5 * HOUR + n as f64, "p3", "GET /files", more);
        }
        stream.by("exfiltration").len()
    };
    let [large, small] = [2_000_000_000, 400_000];
    let with = |last: u64| takes(&[&[large; 5][..], &[small, small, 200_000, last]].concat());
    assert_eq!([0, 1].map(with), [0, 1], "eight megabytes, as nothing else is known");
    assert_eq!([20_400_000, 20_200_000].map(|file| takes(&[file; 6])), [1, 1]);
    assert_eq!([19_400_000, 19_000_000].map(|file| takes(&[file; 6])), [1, 0]);
}

#[test]
fn records_of_one_object_count_for_a_hundred_and_a_twentieth_and_those_of_lists_in_full() {
    let many = |count: u32, who: &str, route: &str, records: u32| {
        let mut stream = readers();
        for n in 0..30 {
            let more = json!({ "records_out": 100 });
            stream.add(f64::from(n) * HOUR, "app", "GET /orders", more);
        }
        let more = json!({ "object": "7", "records_out": records });
        let more = if route.ends_with('}') { more } else { json!({ "records_out": records }) };
        for n in 0..count {
            stream.add(30.5 * HOUR + f64::from(n), who, route, more.clone());
        }
        let findings = stream.by("exfiltration");
        assert!(findings.iter().all(|it| it["evidence"]["unit"] == "records"));
        findings.iter().filter(|it| it["subject"] == who).count()
    };
    let takes = |who, route, records| many(1, who, route, records);
    let one = |records| takes("p3", "GET /orders/{id}", records);
    let list = |records| takes("p3", "GET /orders", records);
    let own = |records| takes("app", "GET /orders/{id}", records);
    assert_eq!([18_110, 18_100].map(one), [1, 0]);
    let few = |count| many(count, "p3", "GET /orders/{id}", 40);
    assert_eq!([26, 25].map(few), [1, 0]);
    assert_eq!([1001, 1000].map(list), [1, 0]);
    assert_eq!([2001, 2000].map(own), [1, 0], "of a program, twice as many in its first week");
}

/// A person who asks thirty times for what these members say, in turn.
fn fetches(turns: &[(&str, Value)], more: &Value) -> usize {
    fetches_often(30, turns, more)
}

fn fetches_often(times: usize, turns: &[(&str, Value)], more: &Value) -> usize {
    let mut stream = readers();
    for n in 0..times {
        let (route, members) = &turns[n % turns.len()];
        let mut members = members.clone();
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        stream.add(2.5 * HOUR + n as f64, "p3", route, members);
    }
    stream.by("exfiltration").len()
}

#[test]
fn the_same_file_again_at_once_is_nothing_new() {
    const FILE: &str = "GET /files/{id}";
    let file = |name: &str| (FILE, json!({ "object": name, "bytes_out": 900_000 }));
    let again = |more: Value| fetches(&[file("a")], &more);
    assert_eq!(again(json!({})), 0);
    assert_eq!(fetches(&[file("a"), file("b")], &json!({})), 0, "another in between");
    let raw = ("GET /files/{id}/raw", file("a").1);
    assert_eq!(fetches(&[file("a"), raw], &json!({})), 0, "by another route");
    assert_eq!(fetches(&[file("a"), ("GET /files", json!({}))], &json!({})), 0);
    assert_eq!(fetches(&[("GET /files", json!({ "bytes_out": 900_000 }))], &json!({})), 1);
    let often = |more: Value| fetches_often(120, &[file("a")], &more);
    assert_eq!(often(json!({})), 0);
    assert_eq!(often(json!({ "records_out": 9 })), 1, "pages of a list");
    assert_eq!(often(json!({ "status": 206 })), 1, "parts of a file");
    let sizes = |bytes: u32| {
        let mut stream = readers();
        for n in 0..420 {
            let more = json!({ "object": "a", "bytes_out": bytes });
            stream.add(2.5 * HOUR + f64::from(n), "p3", FILE, more);
        }
        stream.by("exfiltration").len()
    };
    assert_eq!([100_000, 100_001].map(sizes), [1, 0], "a page is small");
}

#[test]
fn a_program_that_takes_the_same_file_again_takes_as_much() {
    let takes = |subject: &str| {
        let mut stream = Stream::people();
        for n in 0..70 {
            let (at, object) = (f64::from(n) * HOUR, json!({ "object": "a", "bytes_out": 900 }));
            stream.add(at, subject, "GET /files/{id}", object);
        }
        for n in 0..20 {
            let more = json!({ "object": "a", "bytes_out": 900_000 });
            stream.add(2.9 * DAY + f64::from(n), subject, "GET /files/{id}", more);
        }
        stream.by("exfiltration").len()
    };
    assert_eq!(["app", "p3"].map(takes), [1, 0]);
}

#[test]
fn who_has_no_others_to_be_compared_with_has_a_monday_after_a_sunday() {
    let monday = |count: u32| {
        let mut stream = Stream::people();
        for (day, count) in [(0, 5), (1, 20), (2, count)] {
            for n in 0..count {
                let at = f64::from(day) * DAY + 9.0 * HOUR + f64::from(n) * 100.0;
                let object = json!({ "client": "desk", "object": format!("C{day}{n:04}") });
                stream.add(at, "agent", "GET /customers/{id}", object);
            }
        }
        stream.by("enumeration").len()
    };
    assert_eq!(monday(150), 0);
    assert_eq!(monday(320), 1);
}

#[test]
fn a_visit_goes_on_while_another_device_is_used() {
    let visits = |client: &'static str| {
        let mut stream = Stream::default();
        for person in 0..12u32 {
            for visit in 0..4 {
                let start = f64::from(visit) * 3.0 * HOUR + f64::from(person) * 100.0;
                for (step, route) in ["POST /cart", "POST /checkout"].iter().enumerate() {
                    let who = format!("p{person}");
                    stream.add(start + step as f64 * 40.0, &who, route, json!({}));
                }
            }
        }
        for n in 0..5 {
            let start = DAY + f64::from(n) * 3.0 * HOUR;
            stream.add(start, "p3", "POST /cart", json!({}));
            stream.add(start + 20.0, "p3", "GET /news", json!({ "client": client }));
            stream.add(start + 40.0, "p3", "POST /checkout", json!({}));
        }
        stream
    };
    assert_eq!(visits("phone").by("sequence"), Vec::<Value>::new());
    // On another device there was no cart.
    let mut stream = visits("phone");
    for n in 0..4 {
        stream.add(
            2.0 * DAY + f64::from(n) * 60.0,
            "p3",
            "GET /news",
            json!({ "client": "phone" }),
        );
        stream.add(2.0 * DAY + f64::from(n) * 60.0 + 30.0, "p3", "POST /checkout", json!({}));
    }
    assert_eq!(stream.by("sequence").len(), 1);
}
