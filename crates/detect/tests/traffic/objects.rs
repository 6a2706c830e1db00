//! Enumeration, and objects of others.

use serde_json::json;

use crate::stream::{DAY, HOUR, Stream, own};

#[test]
fn ordinary_people_are_not_found() {
    assert_eq!(Stream::people().findings(), Vec::<serde_json::Value>::new());
}

#[test]
fn many_different_objects_are_enumeration_and_the_finding_says_with_what_it_compares() {
    let mut stream = Stream::people();
    for n in 0..120 {
        let object = json!({ "object": format!("{}", 50_000 + n * 17) });
        stream.add(2.1 * DAY + f64::from(n) * 3.0, "p3", "GET /orders/{id}", object);
    }
    let findings = stream.by("enumeration");
    assert_eq!(findings.len(), 1, "one incident, one finding: {findings:?}");
    assert_eq!((&findings[0]["subject"], &findings[0]["client"]), (&json!("p3"), &json!("app")));
    let summary = findings[0]["evidence"]["summary"].as_str().unwrap();
    assert!(summary.contains("own peak was 4"), "{summary}");
    assert!(findings[0].get("ip").is_none());
}

#[test]
fn guesses_and_walks_are_found_early_and_a_dead_link_is_not() {
    let refused = |status: u16, step: u32| {
        let mut stream = Stream::people();
        for n in 0..14 {
            let object = json!({ "object": format!("{}", 70_000 + n * step), "status": status });
            stream.add(2.1 * DAY + f64::from(n) * 40.0, "p3", "GET /orders/{id}", object);
        }
        stream.by("enumeration").len()
    };
    assert_eq!(refused(404, 997), 1, "random numbers");
    assert_eq!(refused(403, 1), 1, "neighbouring numbers");
    assert_eq!(refused(404, 0), 0, "a dead link, again and again");
}

#[test]
fn a_walk_of_refused_neighbours_is_told_where_they_are_three_in_ten_of_what_is_asked_today() {
    let walked = |before: u32, ago: f64, refused: u32| {
        let mut stream = Stream::people();
        let at = 2.3 * DAY;
        for n in 0..before {
            let object = json!({ "object": own(3, n % 4) });
            stream.add(at - ago + f64::from(n) * 20.0, "p3", "GET /orders/{id}", object);
        }
        for n in 0..refused {
            let object = json!({ "object": format!("{}", 70_000 + n), "status": 403 });
            stream.add(at + f64::from(n) * 40.0, "p3", "GET /orders/{id}", object);
        }
        let findings = stream.by("enumeration");
        assert!(findings.iter().all(|it| it["evidence"]["walk"] == refused));
        findings.len()
    };
    assert_eq!([21, 22].map(|before| walked(before, 2.0 * HOUR, 9)), [1, 0]);
    assert_eq!(walked(22, 2.0 * HOUR, 10), 1, "at the next one");
    assert_eq!([22, 60].map(|before| walked(before, 12.0 * HOUR, 9)), [1, 1], "yesterday");
}

#[test]
fn a_nightly_job_that_walks_over_everything_is_its_habit() {
    let mut stream = Stream::people();
    for night in 0..5 {
        for n in 0..600 {
            let at = f64::from(night) * DAY + 3.0 * HOUR + f64::from(n);
            let status = if n % 40 == 0 { 404 } else { 200 };
            let more =
                json!({ "client": "job", "object": format!("{}", 1000 + n), "status": status });
            stream.add(at, "job", "GET /orders/{id}", more);
        }
    }
    assert_eq!(stream.findings(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_habit_is_not_taught_by_raising_it_step_by_step() {
    let mut stream = Stream::people();
    for hour in 0..12u32 {
        for n in 0..(20 << hour.min(4)) {
            let at = 2.2 * DAY + f64::from(hour) * HOUR + f64::from(n) * 5.0;
            let object = json!({ "object": format!("{}", 50_000 + hour * 1000 + n) });
            stream.add(at, "p3", "GET /orders/{id}", object);
        }
    }
    assert!(!stream.by("enumeration").is_empty());
}

/// Person 3 reads so many orders of others.
fn reads_others(stream: &mut Stream, count: u32, pause: f64, status: u16) {
    for n in 0..count {
        let more = json!({ "object": own((4 + n) % 12, n % 4), "status": status });
        stream.add(2.1 * DAY + f64::from(n) * pause, "p3", "GET /orders/{id}", more);
    }
}

#[test]
fn orders_of_others_are_found_by_the_fourth_where_nobody_does_that_also_slowly_and_also_refused() {
    for (pause, status) in [(20.0, 200), (2400.0, 200), (20.0, 403)] {
        let mut stream = Stream::people();
        reads_others(&mut stream, 7, pause, status);
        let findings = stream.by("bola_ownership");
        assert_eq!(findings.len(), 1, "{pause} {status}");
        assert_eq!(findings[0]["subject"], "p3");
        assert_eq!(findings[0]["evidence"]["objects"], 4);
    }
}

#[test]
fn what_support_looks_at_by_its_console_counts_nothing_in_the_application() {
    let told = |console: u32, app: u32| {
        let mut stream = Stream::people();
        for person in [1, 2, 8] {
            let more = json!({ "object": own(person, 1), "client": "console" });
            stream.add(2.0 * DAY, &format!("p{person}"), "GET /orders/{id}", more);
        }
        for n in 0..console + app {
            let client = if n < console { "console" } else { "app" };
            let more = json!({ "object": own((4 + n) % 12, n % 4), "client": client });
            stream.add(2.1 * DAY + f64::from(n) * 60.0, "p3", "GET /orders/{id}", more);
        }
        stream.by("bola_ownership").len()
    };
    assert_eq!([(0, 4), (0, 3)].map(|(console, app)| told(console, app)), [1, 0]);
    assert_eq!([(6, 1), (6, 3)].map(|(console, app)| told(console, app)), [0, 0]);
}

#[test]
fn a_night_is_not_cut_in_two_and_what_was_a_day_ago_is_forgotten() {
    // Six around noon, where a half of a day ends; and one in eight hours.
    let around = |middle: f64, pause: f64| {
        let mut stream = Stream::people();
        for n in 0..6u32 {
            let at = middle + (f64::from(n) - 2.5) * pause;
            let more = json!({ "object": own(4 + n, n % 4) });
            stream.add(at, "p3", "GET /orders/{id}", more);
        }
        stream.by("bola_ownership").len()
    };
    assert_eq!(around(2.5 * DAY, HOUR), 1, "noon");
    assert_eq!(around(3.0 * DAY, HOUR), 1, "midnight");
    assert_eq!(around(4.0 * DAY, 8.0 * HOUR), 0, "at most three in two halves");
}

/// Jobs with tasks of their own, then one that asks for so many of all tasks and for six of others.
fn job_among_tasks(count: u32) -> usize {
    job_since(None, count)
}

/// The same, where it asked for one task of another after so many hours.
fn job_since(first: Option<f64>, count: u32) -> usize {
    let mut stream = Stream::default();
    let mut add = |at: f64, job: u32, task: String| {
        let name = format!("job{job}");
        let more = json!({ "client": name, "object": task, "scopes": ["tasks"] });
        stream.add(at, &name, "GET /tasks/{id}", more);
    };
    for job in 0..12 {
        for n in 0..40u32 {
            let at = f64::from(n) * 1800.0 + f64::from(job) * 7.0;
            add(at, job, format!("task-{job}-{}", n % 4));
        }
    }
    if let Some(hours) = first {
        add(hours * HOUR, 3, "task-4-1".to_owned());
    }
    for n in 0..count {
        add(1.1 * DAY + f64::from(n) * 60.0, 3, format!("new-{n}"));
    }
    for n in 0..6 {
        add(1.1 * DAY + f64::from(count + n) * 60.0, 3, format!("task-{}-1", 5 + n));
    }
    stream.by("bola_ownership").len()
}

#[test]
fn a_job_that_takes_what_others_have_is_found_and_one_that_works_through_everything_is_not() {
    assert_eq!(job_among_tasks(2), 1);
    assert_eq!([18, 20].map(job_among_tasks), [1, 0], "a quarter is no chance");
}

#[test]
fn a_job_that_was_among_others_things_in_its_first_six_hours_works_through_them() {
    assert_eq!([5.99, 6.01].map(|hours| job_since(Some(hours), 2)), [0, 1]);
    assert_eq!(job_since(Some(1.0), 0), 0, "whatever else it does");
    assert_eq!(job_since(Some(10.0), 38), 0, "by chance");
}

/// Person 3 reads so many orders of each of so many others.
fn reads_of_each(others: u32, each: u32) -> usize {
    let mut stream = Stream::people();
    for n in 0..others * each {
        let more = json!({ "object": own((4 + n / each) % 12, n % each), "status": 403 });
        stream.add(2.1 * DAY + f64::from(n) * 60.0, "p3", "GET /orders/{id}", more);
    }
    stream.by("bola_ownership").len()
}

#[test]
fn several_orders_of_a_few_others_are_colleagues_and_one_of_each_is_not() {
    assert_eq!(reads_of_each(4, 3), 0);
    assert_eq!(reads_of_each(6, 1), 1);
    assert_eq!(reads_of_each(9, 3), 1, "however many of each");
}

#[test]
fn a_shared_order_or_two_are_not_found() {
    let mut stream = Stream::people();
    reads_others(&mut stream, 3, 60.0, 200);
    assert_eq!(stream.by("bola_ownership").len(), 0);
}

#[test]
fn support_and_shared_collections_are_not_found() {
    let mut stream = Stream::people();
    for agent in 0..6u32 {
        for n in 0..60u32 {
            let at = 9.0 * HOUR + f64::from(n) * 600.0 + f64::from(agent);
            let object = json!({ "client": "console", "object": own((n * 7 + agent) % 12, n % 4) });
            stream.add(at, &format!("agent{agent}"), "GET /orders/{id}", object);
        }
    }
    for person in 0..12u32 {
        for n in 0..40u32 {
            let at = 10.0 * HOUR + f64::from(n) * 700.0 + f64::from(person);
            let object = json!({ "object": format!("doc-{}", (n * 5 + person) % 30) });
            stream.add(at, &format!("p{person}"), "GET /docs/{id}", object);
        }
    }
    assert_eq!(stream.by("bola_ownership"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_catalogue_of_which_readers_have_favourites_is_not_owned() {
    let mut stream = Stream::default();
    for day in 0..6u32 {
        for person in 0..60u32 {
            for n in 0..6u32 {
                let at = f64::from(day) * DAY + f64::from(person) * 61.0 + f64::from(n) * 7200.0;
                // Every other time a favourite; otherwise what anybody may read.
                let chance =
                    person.wrapping_mul(2_654_435_761).wrapping_add((day * 6 + n) * 40_503);
                let page = if n % 2 == 0 { person * 5 } else { (chance >> 7) % 300 };
                let object = json!({ "object": format!("page-{page}") });
                stream.add(at, &format!("p{person}"), "GET /pages/{id}", object);
            }
        }
    }
    assert_eq!(stream.by("bola_ownership"), Vec::<serde_json::Value>::new());
}

#[test]
fn nobody_makes_a_collection_look_public_alone() {
    let mut stream = Stream::people();
    // Two things of others, again and again: too few to be told.
    for n in 0..2000u32 {
        let object = json!({ "object": own(4 + n % 2, 1) });
        stream.add(2.1 * DAY + f64::from(n) * 2.0, "p3", "GET /orders/{id}", object);
    }
    // Another comes after the noise.
    for n in 0..7u32 {
        let object = json!({ "object": own((6 + n) % 12, n % 4) });
        stream.add(2.3 * DAY + f64::from(n) * 60.0, "p5", "GET /orders/{id}", object);
    }
    let found = stream.by("bola_ownership");
    assert_eq!((found.len(), &found[0]["subject"]), (1, &json!("p5")));
}

#[test]
fn a_collection_that_was_hardly_used_yet_is_not_known_to_be_private() {
    let told = |uses: u32| {
        let mut stream = Stream::default();
        for person in 0..8u32 {
            for n in 0..uses {
                let at = f64::from(n) * 700.0 + f64::from(person) * 13.0;
                let order = json!({ "object": own(person, n % 2) });
                stream.add(at, &format!("p{person}"), "GET /orders/{id}", order);
            }
        }
        for n in 0..7u32 {
            let order = json!({ "object": own(1 + n, n % 2) });
            stream.add(14.0 * HOUR + f64::from(n) * 60.0, "p0", "GET /orders/{id}", order);
        }
        stream.by("bola_ownership").len()
    };
    assert_eq!(told(5), 0);
    assert_eq!(told(20), 1);
}

#[test]
fn the_first_half_of_a_day_takes_more_of_more() {
    let told = |people: u32, count: u32| {
        let mut stream = Stream::default();
        for person in 0..people {
            for n in 0..12u32 {
                let at = f64::from(n) * 900.0 + f64::from(person) * 13.0;
                let order = json!({ "object": (1000 + n % 2 * 100 + person).to_string() });
                stream.add(at, &format!("p{person}"), "GET /orders/{id}", order);
            }
        }
        for n in 0..count {
            let order = json!({ "object": (1010 + n % 2 * 100 + n).to_string() });
            stream.add(4.0 * HOUR + f64::from(n) * 60.0, "p0", "GET /orders/{id}", order);
        }
        stream.by("bola_ownership").len()
    };
    assert_eq!([told(40, 8), told(40, 6), told(20, 8)], [1, 0, 0]);
}

#[test]
fn where_one_in_thirty_two_does_it_a_few_objects_of_others_are_ordinary() {
    let own = |person: u32, n: u32| (1000 + n * 100 + person).to_string();
    let told = |before: u32, count: u32| {
        let mut stream = Stream::default();
        for person in 0..40u32 {
            for n in 0..40u32 {
                let at = f64::from(n) * HOUR + f64::from(person) * 13.0;
                let order = json!({ "object": own(person, n % 4) });
                stream.add(at, &format!("p{person}"), "GET /orders/{id}", order);
            }
        }
        for stranger in 0..=before {
            let count = if stranger < before { 4 } else { count };
            for n in 0..count {
                let at = (41.0 + f64::from(stranger)) * HOUR + f64::from(n) * 60.0;
                let order = json!({ "object": own(10 + n % 20, n % 4) });
                stream.add(at, &format!("p{stranger}"), "GET /orders/{id}", order);
            }
        }
        stream.by("bola_ownership").len()
    };
    // The first of them is told at the fourth thing, since nobody else did that yet.
    assert_eq!([told(1, 9), told(3, 9), told(3, 30)], [1 + 1, 1, 1 + 1]);
}

#[test]
fn so_many_refused_objects_need_nobody_to_compare_with() {
    let refused = |subject: &str, count: u32| {
        let mut stream = Stream::default();
        for n in 0..count {
            let object = json!({ "object": format!("{}", 70_000 + n * 997), "status": 404 });
            stream.add(f64::from(n) * 10.0, subject, "GET /orders/{id}", object);
        }
        stream.by("enumeration").len()
    };
    assert_eq!([refused("p3", 80), refused("p3", 30)], [1, 0]);
    assert_eq!(refused("app", 80), 0, "a program may look what there is already");
}

#[test]
fn whoever_walks_through_objects_does_not_own_them() {
    let mut stream = Stream::default();
    for n in 0..200 {
        let object = json!({ "object": own(n % 12, n / 12) });
        stream.add(f64::from(n), "walker", "GET /orders/{id}", object);
    }
    for person in 0..12 {
        for n in 0..12 {
            for again in 0..2 {
                let at =
                    HOUR + f64::from(n) * 200.0 + f64::from(person) + f64::from(again) * 3000.0;
                let object = json!({ "object": own(person, n) });
                stream.add(at, &format!("p{person}"), "GET /orders/{id}", object);
            }
        }
    }
    assert_eq!(stream.by("bola_ownership"), Vec::<serde_json::Value>::new());
}

#[test]
fn names_in_a_bad_credential_harm_nobody() {
    let mut stream = Stream::people();
    for n in 0..300 {
        let more = json!({
            "object": own(n % 12, n % 4), "status": 401, "refused": "expired", "client": null,
            "claimed_subject": "p3", "claimed_client": "app",
        });
        stream.add(2.1 * DAY + f64::from(n), "", "GET /orders/{id}", more);
    }
    assert_eq!(stream.findings(), Vec::<serde_json::Value>::new());
}

/// So many different objects that are not there, one every 40 seconds, the last so long after two days.
fn refusals(stream: &mut Stream, who: &str, count: u32, end: f64) {
    for n in 0..count {
        let object = json!({ "object": format!("{}", 70_000 + n * 997), "status": 404 });
        let at = 2.0 * DAY + end - f64::from(count - n) * 40.0;
        stream.add(at, who, "GET /orders/{id}", object);
    }
}

/// What is told where these are refused so many objects, the last so long after two days, among more than a hundred hours
/// of others that were refused none.
fn refused(attacks: &[(&str, u32, f64)]) -> usize {
    let mut stream = Stream::people();
    for hour in 0..46 {
        let order = json!({ "object": own(5, 1) });
        stream.add(f64::from(hour) * HOUR + 1800.0, "p5", "GET /orders/{id}", order);
    }
    for (who, count, end) in attacks {
        refusals(&mut stream, who, *count, *end);
    }
    stream.by("enumeration").len()
}

#[test]
fn an_attack_over_the_full_hour_on_somebodys_first_day_is_no_habit_of_theirs() {
    assert_eq!(refused(&[("new", 11, 2.0 * HOUR)]), 0);
    assert_eq!(refused(&[("new", 40, 2.0 * HOUR + 29.0 * 40.0)]), 1);
}

#[test]
fn a_few_who_are_refused_do_not_hide_the_next() {
    assert_eq!(refused(&[("p7", 11, HOUR)]), 0);
    assert_eq!(refused(&[("p7", 11, HOUR), ("p3", 20, 4.0 * HOUR)]), 1);
}

#[test]
fn colleagues_who_share_their_things_are_no_strangers_to_each_other() {
    let mut stream = Stream::people();
    // Two companies of five, with thirty files each, beside the people.
    for member in 0..10u32 {
        for n in 0..60u32 {
            let at = 1000.0 + f64::from(n) * 2600.0 + f64::from(member) * 31.0;
            let file = (member / 5) * 30 + (n * 7 + member * 11) % 30;
            let more = json!({ "object": format!("{}", 90_000 + file) });
            stream.add(at, &format!("member{member}"), "GET /orders/{id}", more);
        }
    }
    assert_eq!(stream.by("bola_ownership"), Vec::<serde_json::Value>::new());
}

#[test]
fn who_owns_what_is_learnt_from_all_apps() {
    let mut stream = Stream::people();
    for other in ["p20", "p21", "p22"] {
        stream.add(DAY, other, "GET /orders", json!({ "client": "web" }));
    }
    for person in 12..24u32 {
        for n in 0..12u32 {
            let at = f64::from(n) * 3.0 * HOUR + f64::from(person) * 91.0;
            let more =
                json!({ "client": "web", "object": format!("{}", 60_000 + person * 10 + n % 3) });
            stream.add(at, &format!("p{person}"), "GET /orders/{id}", more);
        }
    }
    // A user of the one app reads what is known by the other.
    for n in 0..7u32 {
        let more = json!({ "object": format!("{}", 60_000 + (13 + n) * 10 + n % 3) });
        stream.add(2.1 * DAY + f64::from(n) * 60.0, "p3", "GET /orders/{id}", more);
    }
    let found = stream.by("bola_ownership");
    assert_eq!((found.len(), &found[0]["subject"]), (1, &json!("p3")));
}

/// How many are told of a reader of six orders of others, where these have been read by somebody for three days.
fn beside(client: &str, subjects: u32) -> usize {
    let mut stream = Stream::people();
    for day in 0..3 {
        for reader in 0..subjects {
            for n in 0..48 {
                let at = f64::from(day) * DAY + f64::from(reader) * 700.0 + f64::from(n) * 60.0;
                let more = json!({ "client": client, "object": own(n % 12, n / 12) });
                stream.add(at, &format!("{client}-{reader}"), "GET /orders/{id}", more);
            }
        }
    }
    reads_others(&mut stream, 6, 60.0, 200);
    let told = stream.by("bola_ownership");
    told.iter().filter(|finding| finding["subject"] == "p3").count()
}

#[test]
fn what_services_read_is_still_its_owners() {
    assert_eq!((beside("jobs", 1), beside("jobs", 6)), (1, 1));
}

/// So many people with orders; then orders of these numbers are opened without a token, some seconds apart, where so
/// many other addresses open one each. How often the address is told.
fn without_token(people: u32, numbers: &[u32], pause: f64, readers: u32) -> usize {
    const STRANGER: &str = "203.0.113.66";
    let mut stream = Stream::default();
    for person in 0..people {
        for n in 0..4 {
            let at = f64::from(n) * 600.0 + f64::from(person);
            let more = json!({ "object": own(person, n) });
            stream.add(at, &format!("p{person}"), "GET /orders/{id}", more);
        }
    }
    let mut open = |at: f64, ip: &str, number: u32| {
        let more = json!({ "ip": ip, "object": number.to_string(), "token_kind": "none" });
        stream.add(at, "", "GET /orders/{id}", more);
    };
    (0..readers).for_each(|n| open(HOUR, &format!("198.51.{n}.1"), 1000));
    for (n, number) in numbers.iter().enumerate() {
        open(2.0 * HOUR + n as f64 * pause, STRANGER, *number);
    }
    let findings = stream.by("enumeration");
    let of_nobody = |finding: &serde_json::Value| {
        finding["ip"] == STRANGER
            && finding.get("subject").is_none()
            && finding.get("client").is_none()
    };
    assert!(findings.iter().all(of_nobody), "{findings:?}");
    findings.len()
}

#[test]
fn numbers_that_are_walked_without_a_token_where_others_need_one_name_the_address() {
    let walk: Vec<u32> = (0..30).map(|n| 1000 + n * 3).collect();
    assert_eq!([24, 16].map(|count| without_token(12, &walk[..count], 60.0, 0)), [1, 0]);
    let scattered: Vec<u32> = (0..30).map(|n| 1000 + n * 997 % 9000).collect();
    assert_eq!(without_token(12, &scattered, 60.0, 0), 0, "links that are followed");
    assert_eq!(
        [1, 8].map(|readers| without_token(12, &walk, 60.0, readers)),
        [1, 0],
        "a catalogue"
    );
    assert_eq!(without_token(8, &walk, 60.0, 0), 0, "hardly anybody has a token");
    assert_eq!(without_token(12, &walk, 3.0 * HOUR, 0), 0, "one now and then");
    assert_eq!(without_token(12, &[1000; 30], 60.0, 0), 0, "one order");
}

/// So many invoices, each so far after the last, are opened from so many networks in turn, so many
/// seconds apart and longer in the middle, by nobody with these members. How often it is told.
fn walked(
    [count, step, networks]: [u32; 3],
    [pause, rest]: [f64; 2],
    more: &serde_json::Value,
) -> usize {
    let mut stream = Stream::default();
    for n in 0..count {
        let mut members = json!({
            "ip": format!("20.{}.0.7", n % networks), "object": (5000 + n * step).to_string(),
            "token_kind": "none", "ua": "python-requests/2.32",
        });
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        let rested = if n < count / 2 { 0.0 } else { rest };
        stream.add(HOUR + f64::from(n) * pause + rested, "", "GET /invoices/{id}", members);
    }
    let mut findings = stream.by("enumeration");
    findings.retain(|it| it["evidence"]["networks"].is_number());
    assert!(findings.iter().all(|it| it.get("subject").is_none() && it.get("client").is_none()));
    findings.len()
}

#[test]
fn a_library_without_a_token_that_walks_from_eight_networks_is_told() {
    let walk = |of| walked(of, [60.0, 0.0], &json!({}));
    assert_eq!([8, 7].map(|networks| walk([48, 3, networks])), [1, 0]);
    // They are counted with an error of some per cent.
    assert_eq!([44, 35].map(|count| walk([count, 3, 8])), [1, 0]);
    assert_eq!([1000, 1001].map(|step| walk([48, step, 8])), [1, 0]);
    assert_eq!(walk([200, 3, 40]), 1, "once");
    assert_eq!([1790.0, 1810.0].map(|pause| walked([48, 3, 8], [pause, 0.0], &json!({}))), [1, 0]);
    assert_eq!([1700.0, 1800.0].map(|rest| walked([60, 3, 8], [60.0, rest], &json!({}))), [1, 0]);
}

#[test]
fn who_is_told_that_nothing_is_there_walks_and_people_with_programs_of_their_own_do_not() {
    let with = |more: &serde_json::Value| walked([60, 3, 12], [60.0, 0.0], more);
    for walk in [json!({ "status": 404 }), json!({ "status": 403 }), json!({ "ua": "curl/8.5" })] {
        assert_eq!(with(&walk), 1, "{walk}");
    }
    for none in [
        json!({ "ua": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0" }),
        json!({ "ua": "Mozilla/5.0 (compatible; Examplebot/2.1)" }),
        json!({ "ua": "Invoices/4.2 (Android 15)" }),
        json!({ "ua": null }),
        json!({ "status": 401, "refused": "no_token" }),
        json!({ "status": 500 }),
        json!({ "token_kind": "opaque" }),
        json!({ "subject": "p1", "client": "app", "token": "t1", "token_kind": "jwt" }),
        json!({ "client": "jobs", "token": "t1", "token_kind": "jwt" }),
        json!({ "client": "jobs" }),
        json!({ "object": "5000" }),
        json!({ "object": "summer-sale" }),
    ] {
        assert_eq!(with(&none), 0, "{none}");
    }
}
