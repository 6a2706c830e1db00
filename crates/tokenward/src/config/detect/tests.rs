//! Tables of responses: what is taken, and what is refused with its line.

use std::path::Path;
use std::time::Duration;

use detect::policy::row::Act;

use crate::config::Config;
use crate::config::load::{self, Environment};

fn parse(text: &str) -> Result<Config, String> {
    let parsed = load::parse(Path::new("t.toml"), text, &Environment::new());
    parsed.map_err(|mistakes| mistakes.to_string())
}

#[test]
fn a_row_says_no_more_than_it_has_to() {
    let config = parse(
        r#"
        [detect.spared]
        subjects = ["boss"]
        networks = ["192.0.2.0/24"]
        [[detect.response]]
        detectors = ["enumeration", "sign_in"]
        severity = "high"
        principal = "person"
        repeated = 2
        effect = "limit:30/m"
        on = ["grant", "token"]
        for = "30m"
        at_most = "7/h"
        [[detect.response]]
        effect = "tag"
        "#,
    )
    .expect("good");
    let terms = config.detect.terms().expect("terms");
    let rows = terms.table.rows();
    assert!(rows.len() > 15, "what is built in comes after it");
    let (row, tag) = (&rows[0], &rows[1]);
    let Act::Restrict { on, lasts, .. } = &row.act else { panic!("{row:?}") };
    assert_eq!((on.len(), *lasts), (2, Some(Duration::from_secs(1800))));
    assert_eq!(row.at_most.map(|most| most.amount), Some(7));
    assert_eq!(row.at_most_each.map(|most| most.amount), Some(20));
    assert!(row.enforced && terms.switched_on);
    assert_eq!((&tag.act, tag.at_most), (&Act::Tag, None));
    assert_eq!((terms.spared.subjects.len(), terms.spared.networks.len()), (1, 1));
}

#[test]
fn a_bad_row_is_refused_with_line_and_reason() {
    let rows =
        |row: &str| format!("[[detect.response]]\neffect = \"tag\"\n[[detect.response]]\n{row}");
    for (row, line, words) in [
        ("effect = \"stop\"", 4, "`stop` is not an effect"),
        ("detectors = [\"volumes\"]\neffect = \"tag\"", 4, "`volumes` is not a detector"),
        ("effect = \"suspend\"\nfor = \"1h\"", 3, "must name what is restricted"),
        ("effect = \"suspend\"\non = [\"grant\"]", 3, "must be more than 0s"),
        ("effect = \"revoke\"\non = [\"grant\"]", 4, "a revocation is final"),
        (
            "effect = \"limit:9/m\"\nfor = \"1h\"\non = [\"network\"]",
            6,
            "a network takes `suspend`",
        ),
        ("effect = \"tag\"\nfor = \"1h\"", 5, "only for an effect that restricts"),
        ("effect = \"tag\"\non = [\"network\"]", 5, "only for an effect that restricts"),
        ("effect = \"tag\"\nat_most = \"1/h\"", 5, "only for an effect that restricts"),
        ("effect = \"tag\"\nconfidence = 2.0", 5, "must be 0 to 1"),
        ("effect = \"tag\"\nrepeated = 0", 5, "must be 1 to 100"),
        ("effect = \"tag\"\nwithin = \"31d\"", 5, "must be 1s to 30d"),
        ("effect = \"tag\"\nseverity = \"bad\"", 5, "unknown variant `bad`"),
        ("effect = \"tag\"\nmode = \"dry\"", 5, "unknown variant `dry`"),
    ] {
        let refused = parse(&rows(row)).expect_err(row);
        let at = format!("t.toml:{line}:");
        assert!(refused.starts_with(&at) && refused.contains(words), "{row}\n{refused}");
    }
}

#[test]
fn the_example_of_the_documentation_is_good() {
    let page = include_str!("../../../../../docs/responses.md");
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
    let config = parse(example.expect("an example")).expect("good");
    assert_eq!(config.detect.rows.len(), 2);
}
