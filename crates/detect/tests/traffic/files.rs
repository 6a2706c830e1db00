//! Files: of one folder, the same again, by the same path, and how much of them an hour may bring.

use serde_json::{Value, json};

use crate::stream::{HOUR, Stream};

/// Sixty people who read the news for five hours; then one who takes these, a second each.
fn takes(answers: impl Iterator<Item = (&'static str, Value)>) -> usize {
    let mut stream = Stream::default();
    for person in 0..60u32 {
        for hour in 0..5 {
            let at = f64::from(hour) * HOUR + f64::from(person) * 50.0;
            stream.add(at, &format!("p{person}"), "GET /news", json!({}));
        }
    }
    for (n, (route, more)) in answers.enumerate() {
        stream.add(5.2 * HOUR + n as f64, "p3", route, more);
    }
    stream.by("exfiltration").len()
}

/// So many files of so many bytes, each in one of so many folders in turn.
fn of_folders(count: u32, bytes: u32, folders: u32, more: &Value) -> usize {
    const FILE: &str = "GET /sets/{set}/files/{id}";
    takes((0..count).map(|n| {
        let mut members = more.clone();
        members["object"] = json!(format!("file-{n}"));
        members["path"] = json!(format!("/sets/set-{}/files/file-{n}", n % folders));
        members["bytes_out"] = json!(bytes);
        (FILE, members)
    }))
}

#[test]
fn four_megabytes_an_hour_are_much_where_others_take_none() {
    let pages = |count: usize, last: u32| {
        let page = |bytes: u32| ("GET /export", json!({ "bytes_out": bytes }));
        takes((0..count).map(|_| page(400_000)).chain([page(last)]))
    };
    assert_eq!([pages(10, 0), pages(10, 1), pages(9, 399_999)], [0, 1, 0]);
}

#[test]
fn files_of_one_folder_are_one_thing() {
    let large = 2_000_000;
    assert_eq!(of_folders(300, large, 1, &json!({})), 0);
    assert_eq!(
        [870, 890].map(|count| of_folders(count, large, 1, &json!({}))),
        [0, 1],
        "a hundredth"
    );
    assert_eq!([8, 9].map(|count| of_folders(count, large, 40, &json!({}))), [0, 1], "one of each");
    assert_eq!(of_folders(12, large, 2, &json!({})), 1, "of two in turn");
    assert_eq!([100_000, 100_001].map(|bytes| of_folders(42, bytes, 1, &json!({}))), [1, 0]);
    assert_eq!(of_folders(12, large, 1, &json!({ "records_out": 9 })), 1, "pages");
    assert_eq!(of_folders(12, large, 1, &json!({ "status": 206 })), 1, "parts");
}

#[test]
fn files_of_a_route_with_one_parameter_count_in_full() {
    for route in ["GET /files/{id}", "GET /files/:id", "GET /v2/sets/main/files/{id}"] {
        let files = |count: u32| {
            takes((0..count).map(|n| {
                let file = json!({ "object": format!("file-{n}"), "bytes_out": 2_000_000 });
                let mut file = file;
                file["path"] = json!(format!("/files/file-{n}"));
                (route, file)
            }))
        };
        assert_eq!([8, 9].map(files), [0, 1], "{route}");
    }
}

#[test]
fn the_same_object_within_the_hour_is_nothing_new_to_whoever_asked_for_few() {
    let again = |others: u32, names: &[&str]| {
        let small = (0..others).map(|n| ("GET /orders/{id}", json!({ "object": format!("o{n}") })));
        let large = (0..60).map(|n| {
            let name = names[n % names.len()];
            ("GET /files/{id}", json!({ "object": name, "bytes_out": 2_000_000 }))
        });
        takes(small.chain(large))
    };
    assert_eq!(again(0, &["a"]), 0);
    assert_eq!(again(0, &["a", "b", "c"]), 0);
    assert_eq!(again(15, &["a", "b", "c"]), 0);
    assert_eq!(again(30, &["a", "b", "c"]), 1, "of so many nobody knows which");
    assert_eq!(again(30, &["a"]), 0, "the last one is known");
}

#[test]
fn what_comes_by_the_same_path_again_counts_a_fifth_if_it_is_no_page() {
    let answers = |count: usize, bytes: u32, more: Value| {
        let mut members = more;
        members["bytes_out"] = json!(bytes);
        takes((0..count).map(|_| ("GET /backup", members.clone())))
    };
    assert_eq!([43, 44].map(|count| answers(count, 4_000_001, json!({}))), [0, 1]);
    assert_eq!([6, 7].map(|count| answers(count, 4_000_000, json!({}))), [0, 1], "a page");
    assert_eq!(answers(7, 4_000_001, json!({ "records_out": 9 })), 1);
    assert_eq!(answers(7, 4_000_001, json!({ "status": 206 })), 1);
    let in_turn = |count: usize| {
        let paths = ["/backup/one", "/backup/two"];
        takes(
            (0..count)
                .map(|n| ("GET /backup", json!({ "path": paths[n % 2], "bytes_out": 4_000_001 }))),
        )
    };
    assert_eq!([6, 7].map(in_turn), [0, 1], "another in between");
}
