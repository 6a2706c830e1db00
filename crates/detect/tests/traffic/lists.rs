//! Objects beyond what somebody has, as lists say it that come to their end.

use serde_json::json;

use crate::stream::{HOUR, Stream};

const LIST: &str = "GET /orders";
const ONE: &str = "GET /orders/{id}";

/// People of a client and what one does among them.
struct Scene {
    /// Who ask the list, and who only open something.
    listers: u32,
    openers: u32,
    /// Who have two and open so many, and how many do that.
    others: u32,
    other_opens: u32,
    /// What people open, of lists that say no number where that is more than two.
    each: u32,
    /// The longest page.
    page: u32,
    /// What the one's lists give, what is made, and what is opened so much later.
    lists: &'static [u32],
    makes: u32,
    opens: u32,
    after: f64,
    /// Whether they all open one thing as well.
    shared: bool,
}

const SCENE: Scene = Scene {
    listers: 40,
    openers: 0,
    others: 0,
    other_opens: 0,
    each: 2,
    page: 30,
    lists: &[6],
    makes: 0,
    opens: 18,
    after: 60.0,
    shared: true,
};

// === impl Scene ===

impl Scene {
    fn stream(&self) -> Stream {
        let mut stream = Stream::default();
        let open = |stream: &mut Stream, at: f64, who: &str, first: u32, count: u32| {
            for n in 0..count {
                let object = json!({ "object": format!("{}", first + n * 13) });
                stream.add(at + f64::from(n) * 5.0, who, ONE, object);
            }
        };
        for person in 0..self.listers + self.openers {
            let (at, who) = (f64::from(person) * 9.0, format!("p{person}"));
            if person < self.listers {
                let records = match (person, self.each) {
                    (0, _) => json!(self.page),
                    (_, 2) => json!(2),
                    _ => json!(null),
                };
                stream.add(at, &who, LIST, json!({ "records_out": records }));
            }
            let is_other = (1..=self.others).contains(&person);
            let count = if is_other { self.other_opens } else { self.each };
            open(&mut stream, at + 1.0, &who, 20_000 + person * 1000, count);
            if self.shared && !is_other {
                open(&mut stream, at + 2.0, &who, 7, 1);
            }
        }
        let at = HOUR;
        for (n, records) in self.lists.iter().enumerate() {
            stream.add(at + n as f64, "one", LIST, json!({ "records_out": records }));
        }
        for n in 0..self.makes {
            stream.add(at + 10.0 + f64::from(n), "one", "POST /orders", json!({ "status": 201 }));
        }
        open(&mut stream, at + self.after, "one", 1_000, self.opens);
        stream
    }

    /// How often it is told of the one that there is more than whole lists say.
    fn told(&self) -> usize {
        told(self.stream())
    }
}

fn told(stream: Stream) -> usize {
    let mut findings = stream.by("bola_ownership");
    findings.retain(|it| it["subject"] == "one" && it["evidence"]["in_whole_lists"].is_u64());
    findings.len()
}

fn has(lists: &'static [u32], opens: u32) -> usize {
    Scene { lists, opens, ..SCENE }.told()
}

#[test]
fn twelve_more_than_a_whole_list_and_two_and_a_half_times_as_many_are_somebody_elses() {
    assert_eq!([17, 16].map(|opens| has(&[6], opens)), [1, 0], "twelve more");
    assert_eq!([19, 18].map(|opens| has(&[8], opens)), [1, 0], "both");
    assert_eq!([22, 21].map(|opens| has(&[9], opens)), [1, 0], "two and a half times");
    assert_eq!(has(&[0], 12), 0, "an empty list");
}

#[test]
fn where_everybody_has_their_own_six_more_are_enough() {
    let of_private =
        |lists: &'static [u32], opens| Scene { lists, opens, shared: false, ..SCENE }.told();
    assert_eq!([9, 8].map(|opens| of_private(&[3], opens)), [1, 0], "six more");
    assert_eq!([15, 14].map(|opens| of_private(&[6], opens)), [1, 0], "two and a half times");
}

#[test]
fn whoever_has_more_than_twenty_may_have_several_lists() {
    assert_eq!([has(&[30, 4], 90), has(&[16, 4], 48)], [0, 1]);
    let of_pages = |lists, opens| Scene { page: 16, lists, opens, ..SCENE }.told();
    assert_eq!([48, 47].map(|opens| of_pages(&[16, 4], opens)), [1, 0]);
    // Where people open much beyond their lists, nothing else is said of it first.
    let of_many = |lists| Scene { each: 30, page: 16, lists, opens: 60, ..SCENE }.told();
    assert_eq!([of_many(&[16, 4]), of_many(&[16, 5])], [1, 0]);
}

#[test]
fn only_a_page_that_is_short_and_not_round_is_the_end_of_a_list() {
    for (lists, expected) in [(&[10], 0), (&[15], 0), (&[5], 1), (&[11], 1), (&[9], 1), (&[30], 0)]
    {
        assert_eq!(has(lists, 60), expected, "{lists:?}");
    }
    assert_eq!(has(&[6, 6], 17), 1, "the same list again");
    assert_eq!([18, 40].map(|opens| has(&[6, 10], opens)), [0, 1], "and a page of another");
    let longest = |page| Scene { page, ..SCENE }.told();
    assert_eq!([7, 6].map(longest), [1, 0], "as long as the longest");
    assert_eq!(has(&[], 60), 0, "no list");
}

#[test]
fn twenty_five_people_ask_the_list_and_half_of_all() {
    let among = |listers, openers| Scene { listers, openers, ..SCENE }.told();
    assert_eq!([24, 23].map(|listers| among(listers, 0)), [1, 0], "and the one");
    assert_eq!([43, 44].map(|openers| among(40, openers)), [1, 0], "half");
}

#[test]
fn one_in_sixty_four_opens_more_than_they_have() {
    let among = |listers, other_opens| Scene { listers, others: 1, other_opens, ..SCENE }.told();
    assert_eq!([5, 6].map(|opens| among(40, opens)), [1, 0], "four more");
    assert_eq!([140, 139].map(|listers| among(listers, 6)), [1, 0]);
}

#[test]
fn what_was_made_on_the_visit_is_theirs() {
    assert_eq!([20, 19].map(|opens| Scene { makes: 3, opens, ..SCENE }.told()), [1, 0]);
    let after = |after| Scene { after, ..SCENE }.told();
    assert_eq!([7200.0, 7201.0].map(after), [1, 0], "on another visit there was no list");
}

#[test]
fn what_is_beyond_whole_lists_is_told_once_and_not_twice_in_other_words() {
    let all = |stream: Stream| {
        let mut findings = stream.by("bola_ownership");
        findings.retain(|it| it["subject"] == "one");
        findings.len()
    };
    let many = Scene { opens: 60, ..SCENE };
    assert_eq!((many.told(), all(many.stream())), (1, 1));
    // Without a list at first.
    let late = || {
        let mut stream = Scene { lists: &[], opens: 60, ..SCENE }.stream();
        let at = HOUR + 600.0;
        stream.add(at, "one", LIST, json!({ "records_out": 6 }));
        stream.add(at + 5.0, "one", ONE, json!({ "object": "999" }));
        stream
    };
    assert_eq!((told(late()), all(late())), (0, 1));
}

#[test]
fn a_page_as_large_as_the_one_before_goes_on_with_the_list() {
    assert_eq!([30, 28].map(|opens| has(&[12], opens)), [1, 0]);
    assert_eq!([28, 26].map(|opens| has(&[11], opens)), [1, 0]);
    for lists in [&[12, 12][..], &[12, 12, 12], &[11, 11], &[6, 12, 12], &[12, 12, 4]] {
        let told = Scene { lists: lists.to_vec().leak(), opens: 90, ..SCENE }.told();
        assert_eq!(told, 0, "{lists:?}");
    }
    assert_eq!([22, 21].map(|opens| has(&[9, 9], opens)), [1, 0], "no page is as small");
    assert_eq!([30, 28].map(|opens| has(&[12, 6, 12], opens)), [1, 0], "another list between");
}

#[test]
fn a_list_that_is_asked_again_on_another_visit_is_no_next_page() {
    let told_after = |hours: f64| {
        let mut stream = Scene { lists: &[12], opens: 0, ..SCENE }.stream();
        let at = HOUR * (1.0 + hours);
        stream.add(at, "one", LIST, json!({ "records_out": 12 }));
        for n in 0..30u32 {
            let object = json!({ "object": format!("{}", 1_000 + n * 13) });
            stream.add(at + 60.0 + f64::from(n) * 5.0, "one", ONE, object);
        }
        told(stream)
    };
    assert_eq!([2.1, 1.9].map(told_after), [1, 0]);
}

#[test]
fn what_administrators_search_for_is_not_what_they_have() {
    let by = |prefix: &str| {
        let mut stream = Scene { lists: &[], opens: 0, ..SCENE }.stream();
        let (list, one) = (format!("GET {prefix}/orders"), format!("GET {prefix}/orders/{{id}}"));
        for person in 0..40u32 {
            let (at, who) = (f64::from(person) * 9.0, format!("q{person}"));
            let records = if person == 0 { 30 } else { 2 };
            stream.add(at, &who, &list, json!({ "records_out": records }));
            stream.add(at + 1.0, &who, &one, json!({ "object": format!("{}", 50_000 + person) }));
        }
        stream.add(HOUR, "one", &list, json!({ "records_out": 6 }));
        for n in 0..18u32 {
            let object = json!({ "object": format!("{}", 1_000 + n * 13) });
            stream.add(HOUR + 60.0 + f64::from(n) * 5.0, "one", &one, object);
        }
        told(stream)
    };
    for (prefix, expected) in [("", 1), ("/shop", 1), ("/admin", 0), ("/v1/staff", 0)] {
        assert_eq!(by(prefix), expected, "{prefix}");
    }
}

/// Agents who take four orders each from a list elsewhere, and one who takes so many, which this list gave.
fn elsewhere(route: &str, records: u32, opens: u32) -> usize {
    let mut stream = Stream::default();
    for person in 0..40u32 {
        let (at, who) = (f64::from(person) * 20.0, format!("p{person}"));
        stream.add(at, &who, LIST, json!({ "records_out": 4 }));
        for n in 0..4 {
            let object = json!({ "object": format!("{}", 20_000 + person * 100 + n) });
            stream.add(at + 1.0 + f64::from(n), &who, ONE, object);
        }
    }
    let at = 0.5 * HOUR;
    stream.add(at, "p3", route, json!({ "records_out": records, "object": "v7" }));
    for n in 0..opens {
        let object = json!({ "object": format!("{}", 90_000 + n * 13) });
        stream.add(at + 10.0 + f64::from(n) * 5.0, "p3", ONE, object);
    }
    stream.by("bola_ownership").len()
}

#[test]
fn a_list_elsewhere_gives_what_it_is_called_after() {
    for route in ["GET /views/{id}/orders", "GET /team/orders", "GET /views/:id/orders"] {
        assert_eq!(elsewhere(route, 40, 40), 0, "{route}");
        assert_eq!(elsewhere(route, 4, 40), 1, "{route}: too few");
    }
    for route in ["GET /views/{id}/bills", "POST /views/{id}/orders", "GET /orders/{id}"] {
        assert_eq!(elsewhere(route, 40, 40), 1, "{route}");
    }
}
