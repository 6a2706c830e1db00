//! Requests, data, and programs in place of people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::stream::{DAY, HOUR, Stream, own};

/// A program that did two things twenty hours long does seven new ones, as a subject of this name, of whose client such a
/// grant was told at first. How often the program is told.
fn does_new_things(subject: &str, grant: &Value) -> usize {
    let mut stream = Stream::default();
    let mut more = json!({
        "kind": "grant", "client": "billing-sync", "grant_type": "client_credentials",
        "result": "ok", "path": Value::Null,
    });
    for (name, value) in grant.as_object().expect("members") {
        more[name] = value.clone();
    }
    stream.add(0.0, subject, "POST /token", more);
    let client = json!({ "client": "billing-sync" });
    for n in 0..200 {
        let at = 60.0 + n as f64 * 360.0;
        stream.add(at, subject, ["GET /orders", "GET /status"][n % 2], client.clone());
    }
    for n in 0..7 {
        let more =
            json!({ "client": "billing-sync", "status": if n % 2 == 0 { 200 } else { 403 } });
        let at = 20.1 * HOUR + f64::from(n) * 300.0;
        stream.add(at, subject, &format!("POST /new{n}"), more);
    }
    stream.by("function_probing").len()
}

#[test]
fn whose_token_was_granted_to_a_client_for_itself_is_a_program_whatever_its_name() {
    assert_eq!(does_new_things("svc-billing", &json!({})), 1);
    for none in [
        json!({ "client": "other" }),
        json!({ "result": "invalid_client" }),
        json!({ "grant_type": "authorization_code" }),
        json!({ "grant_type": "refresh_token" }),
        json!({ "subject": "svc-other" }),
        json!({ "subject": null }),
    ] {
        assert_eq!(does_new_things("svc-billing", &none), 0, "{none}");
    }
    assert_eq!(does_new_things("billing-sync", &json!({ "result": "invalid_client" })), 1);
}

/// A week of a service: a trickle by day and a large export by night.
fn service() -> Stream {
    let mut stream = Stream::people();
    for day in 0..7 {
        for n in 0..480 {
            let at = f64::from(day) * DAY + 8.0 * HOUR + f64::from(n) * 90.0;
            stream.add(at, "svc", "GET /orders", json!({ "client": "svc", "bytes_out": 20_000 }));
        }
        for n in 0..300 {
            let at = f64::from(day) * DAY + 2.0 * HOUR + f64::from(n) * 5.0;
            stream.add(at, "svc", "GET /export", json!({ "client": "svc", "bytes_out": 100_000 }));
        }
    }
    stream
}

#[test]
fn a_program_that_does_more_new_things_than_ever_is_told_and_a_new_version_is_not() {
    let told = |known: f64, requests: u32, routes: u32, subject: &str| {
        let mut stream = Stream::default();
        for n in 0..requests {
            let at = f64::from(n) * known / f64::from(requests);
            stream.add(
                at,
                subject,
                ["GET /orders", "GET /status"][n as usize % 2],
                json!({ "client": "job" }),
            );
        }
        for n in 0..routes {
            let more = json!({ "client": "job", "status": if n % 2 == 0 { 200 } else { 403 } });
            stream.add(known + f64::from(n) * 300.0, subject, &format!("POST /new{n}"), more);
        }
        stream.by("function_probing").len()
    };
    for name in ["job", "svc:job", "service-account-job", "job@clients"] {
        assert_eq!(told(20.0 * HOUR, 200, 7, name), 1, "{name}");
    }
    assert_eq!(told(20.0 * HOUR, 200, 4, "job"), 0, "a new version");
    assert_eq!(told(6.0 * HOUR, 200, 7, "job"), 1, "it did nothing new for hours");
    assert_eq!(told(2.0 * HOUR, 200, 7, "job"), 0, "not known for long enough");
    assert_eq!(told(0.4 * HOUR, 200, 9, "job"), 0, "its first hour, in which all is new");
    assert_eq!(told(6.0 * HOUR, 15, 7, "job"), 0, "it did hardly anything");
    for name in ["p3", "p3@job", "goodjob"] {
        assert_eq!(told(20.0 * HOUR, 200, 7, name), 0, "{name}");
    }
}

#[test]
fn trickles_and_nightly_exports_are_a_habit() {
    assert_eq!(service().findings(), Vec::<Value>::new());
}

#[test]
fn a_service_like_no_other_has_a_week_to_show_its_bursts() {
    let bursts = |last: u32| {
        let mut stream = Stream::people();
        for (day, count) in [(0u32, 20u32), (1, 26), (2, 24), (3, last)] {
            for n in 0..count {
                let at = f64::from(day) * DAY + 9.0 * HOUR + f64::from(n) * 9.0;
                let object = json!({ "client": "svc", "object": format!("L{day}{n:04}") });
                stream.add(at, "svc", "GET /labs/{id}", object);
            }
        }
        stream.by("enumeration").len()
    };
    assert_eq!(bursts(110), 0);
    assert_eq!(bursts(280), 1);
}

#[test]
fn ten_times_the_habit_is_found_by_requests_and_by_bytes() {
    let mut stream = service();
    for n in 0..1200 {
        let at = 7.4 * DAY + f64::from(n) * 2.0;
        stream.add(at, "svc", "GET /orders", json!({ "client": "svc", "bytes_out": 200_000 }));
    }
    let findings = stream.findings();
    let names: Vec<&str> =
        findings.iter().filter_map(|finding| finding["detector"].as_str()).collect();
    assert!(names.contains(&"volume") && names.contains(&"exfiltration"), "{names:?}");
    assert!(findings.iter().all(|finding| finding["subject"] == "svc"));
}

#[test]
fn a_slow_thief_is_found_by_the_day_and_records_count() {
    let mut bytes = Stream::people();
    let mut records = Stream::people();
    for n in 0..40 {
        let at = 2.05 * DAY + f64::from(n) * 1800.0;
        bytes.add(at, "p3", "GET /orders", json!({ "bytes_out": 400_000 }));
        records.add(at, "p3", "GET /orders", json!({ "records_out": 100 }));
    }
    assert_eq!(bytes.by("exfiltration").len(), 1);
    let found = records.by("exfiltration");
    assert_eq!((found.len(), &found[0]["evidence"]["unit"]), (1, &json!("records")));
}

#[test]
fn retries_in_an_outage_and_throttled_requests_are_no_volume() {
    let mut stream = Stream::people();
    for n in 0..3000 {
        let at = 2.1 * DAY + f64::from(n);
        stream.add(at, "p3", "GET /orders", json!({ "status": 503 }));
        let throttled = json!({ "status": 429, "refused": "throttled" });
        stream.add(at, "p4", "GET /orders", throttled);
    }
    assert_eq!(stream.findings(), Vec::<Value>::new());
}

#[test]
fn a_clock_is_automation_and_a_poll_is_not() {
    let mut stream = Stream::people();
    for n in 0..150 {
        let at = 2.1 * DAY + f64::from(n) * 7.0;
        let object = json!({ "object": format!("item{}", n % 35) });
        stream.add(at, "p3", "GET /items/{id}", object);
        stream.add(at + 0.4, "p4", "GET /messages", json!({}));
        stream.add(at + 0.5, "p5", "GET /rooms/{id}", json!({ "object": "lobby" }));
    }
    let findings = stream.by("automation");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["subject"], "p3");
}

/// Twelve people who signed in, one who asks for one order so often, at such pauses, and so many who ask for theirs so
/// often by a clock before that.
fn watch(count: u32, pause: f64, uneven: f64, others: &[u32]) -> usize {
    let mut stream = Stream::people();
    for person in 0..12u32 {
        let more = json!({ "session": format!("s{person}"), "object": own(person, 1) });
        stream.add(2.0 * DAY + f64::from(person), &format!("p{person}"), "GET /orders/{id}", more);
    }
    for (other, times) in (5u32..).zip(others) {
        for n in 0..*times {
            let more = json!({ "session": format!("s{other}"), "object": own(other, 1) });
            let at = 2.05 * DAY + f64::from(n) * 30.0;
            stream.add(at, &format!("p{other}"), "GET /orders/{id}", more);
        }
    }
    for n in 0..count {
        let off = uneven * f64::from(n * 7 % 5) / 5.0;
        let at = 2.1 * DAY + f64::from(n) * pause + off;
        let more = json!({ "session": "s3", "object": own(3, 1) });
        stream.add(at, "p3", "GET /orders/{id}", more);
    }
    stream.by("automation").len()
}

#[test]
fn one_object_asked_for_by_a_clock_for_hours_is_automation_where_nobody_else_does_that() {
    let watch_alone = |count, pause, uneven| watch(count, pause, uneven, &[]);
    assert_eq!(watch_alone(400, 30.0, 0.5), 1);
    assert_eq!(watch_alone(150, 60.0, 0.5), 0, "a hundred and fifty times");
    assert_eq!(watch_alone(400, 5.0, 0.1), 0, "half an hour, as an order is on its way");
    assert_eq!(watch_alone(170, 60.0, 0.5), 0, "long enough, and not often");
    assert_eq!([120.0, 125.0].map(|pause| watch_alone(300, pause, 0.5)), [1, 0], "two minutes");
    assert_eq!(watch_alone(400, 30.0, 25.0), 0, "by no clock");
    let beside = |others: &[u32]| watch(400, 30.0, 0.5, others);
    assert_eq!([60, 61].map(|times| beside(&[times])), [1, 0], "pages of the client do that");
}

#[test]
fn who_never_rests_is_automation_unless_all_of_its_client_do_so() {
    let restless = |subjects: u32, kind: &str| {
        let mut stream = Stream::people();
        for subject in 0..subjects {
            for n in 0..26 * 12 {
                let jitter = f64::from(n * n % 97) * 2.0;
                let at = 2.0 * DAY + f64::from(n) * 300.0 + jitter + f64::from(subject);
                let object = format!("item{}", n % 40);
                let more = json!({ "object": object, "token_kind": kind });
                stream.add(at, &format!("p{subject}"), "GET /items/{id}", more);
            }
        }
        stream.by("automation").len()
    };
    assert_eq!(restless(1, "jwt"), 1);
    assert_eq!(restless(1, "pat"), 0, "a job of one who is asleep");
    assert!(restless(12, "jwt") <= 2, "how the client works");
}

/// Twenty services that ask for what they know, some of which do something else in the nights of these days: so many bytes
/// for a request, the last of them by this client. How often each is told.
fn odd_nights(nights: &[(&str, u32, u32)], last: Option<&str>) -> BTreeMap<String, usize> {
    let mut stream = Stream::default();
    for day in 0..8 {
        // The forest has seen enough after three days; then an hour that has ended only has to be looked at.
        let (hours, services, requests) = if day < 3 { (8..20, 20, 20) } else { (8..9, 4, 1) };
        for hour in hours {
            let each = |service| (0..requests).map(move |n| (service, n));
            for (service, n) in (0..services).flat_map(each) {
                let at = f64::from(day) * DAY + f64::from(hour) * HOUR + f64::from(n) * 170.0;
                let object = format!("stock-{}", (service * 7 + n + hour % 3) % (8 + service % 5));
                let name = format!("svc-{service}");
                let client = format!("{name}-app");
                let more = json!({ "client": client, "object": object, "bytes_out": 700 + n });
                stream.add(at + f64::from(service), &name, "GET /stock/{id}", more);
            }
        }
    }
    for (name, day, bytes) in nights {
        for n in 0..60 {
            let at = f64::from(*day) * DAY + 2.0 * HOUR + f64::from(n) * 9.0;
            let own = format!("{name}-app");
            let client = if n == 59 { last.unwrap_or(&own) } else { &own };
            stream.add(at, name, "GET /export", json!({ "client": client, "bytes_out": bytes }));
        }
    }
    let mut told = BTreeMap::new();
    for finding in stream.by("anomaly") {
        *told.entry(finding["subject"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    told
}

#[test]
fn an_hour_unlike_all_others_is_told_and_the_same_each_night_is_a_habit() {
    let told = odd_nights(
        &[
            ("svc-0", 4, 5_000_000),
            // The same each night.
            ("svc-1", 4, 5_000_000),
            ("svc-1", 5, 5_000_000),
            ("svc-1", 6, 5_500_000),
            ("svc-1", 7, 5_000_000),
            // Much more is no habit, and neither is what grows out of one by and by.
            ("svc-2", 4, 5_000_000),
            ("svc-2", 5, 5_000_000),
            ("svc-2", 6, 500_000_000),
            ("svc-3", 4, 5_000_000),
            ("svc-3", 5, 9_000_000),
            ("svc-3", 6, 16_000_000),
        ],
        None,
    );
    let expected = [("svc-0", 1), ("svc-1", 1), ("svc-2", 2), ("svc-3", 2)];
    assert_eq!(told, expected.map(|(name, times)| (name.to_owned(), times)).into());
    let beside = odd_nights(&[("svc-0", 4, 5_000_000)], Some("telly"));
    assert_eq!(beside, BTreeMap::new(), "two clients within an hour");
}

/// A partner that takes a megabyte at three each night, and on the fourth day so many at this hour.
fn export(hour: f64, megabytes: u32) -> usize {
    let mut stream = Stream::default();
    let mut take = |at: f64, count: u32| {
        for n in 0..count * 10 {
            let more = json!({ "client": "partner", "bytes_out": 100_000 });
            stream.add(at + f64::from(n) * 2.0, "partner", "GET /export", more);
        }
    };
    (0..3).for_each(|night| take(f64::from(night) * DAY + 3.0 * HOUR, 1));
    take(3.0 * DAY + hour * HOUR, megabytes);
    stream.by("exfiltration").len()
}

#[test]
fn twice_the_habit_at_an_hour_that_is_none_is_found_and_a_late_export_is_not() {
    assert_eq!(export(15.0, 3), 1);
    assert_eq!(export(15.0, 1), 0, "the export of the night, made good");
    assert_eq!(export(3.0, 3), 0, "a large night");
    assert_eq!(export(4.0, 3), 0, "a night that was late");
}

/// Twelve people who have a message with a code sent every three hours, and one of them who has so
/// many sent in an hour of the first day, and on the third so many by this route, with these
/// members. How often that one is told.
fn messages(habit: u32, count: u32, route: &str, more: &Value) -> usize {
    let mut stream = Stream::people();
    let mut send = |at: f64, who: &str, more: &Value| stream.add(at, who, route, more.clone());
    for hour in 0..12 {
        for person in 0..12 {
            let at = f64::from(hour) * 3.0 * HOUR + f64::from(person) * 60.0;
            send(at, &format!("p{person}"), &json!({}));
        }
    }
    (0..habit).for_each(|n| send(7.1 * HOUR + f64::from(n) * 200.0, "p3", &json!({})));
    (0..count).for_each(|n| send(2.0 * DAY + f64::from(n) * 200.0, "p3", more));
    let findings = stream.by("volume");
    assert!(findings.iter().all(|it| it["subject"] == "p3" && it.get("ip").is_none()));
    findings.len()
}

#[test]
fn ten_messages_with_a_code_within_an_hour_are_more_than_a_person_needs() {
    let sent = |count, route: &str| messages(0, count, route, &json!({}));
    assert_eq!([10, 9].map(|count| sent(count, "POST /me/otp")), [1, 0]);
    for path in [
        "sms",
        "verification/phone",
        "codes/resend",
        "me/send-code",
        "me/send_code",
        "login/one-time-code",
    ] {
        assert_eq!(sent(10, &format!("POST /{path}")), 1, "{path}");
    }
    for route in [
        "POST /orders",
        "GET /me/otp",
        "PUT /me/otp",
        "POST /carbon/footprints",
        "POST /organisms",
        "POST /verification/documents",
    ] {
        assert_eq!(sent(15, route), 0, "{route}");
    }
    for none in [
        json!({ "subject": "app" }),
        json!({ "subject": "app-3" }),
        json!({ "status": 503 }),
        json!({ "refused": "throttled", "status": 429 }),
    ] {
        assert_eq!(messages(0, 15, "POST /me/otp", &none), 0, "{none}");
    }
    let used_to = |habit, count| messages(habit, count, "POST /me/otp", &json!({}));
    assert_eq!([0, 6].map(|habit| used_to(habit, 16)), [1, 0], "a habit");
    assert_eq!(used_to(6, 18), 1, "more than three times that");
}
