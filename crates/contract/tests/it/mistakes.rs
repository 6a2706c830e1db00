//! Mistakes of documents: the place, what is wrong, and the cure.

use crate::support::mistakes;

fn document(paths: &str) -> String {
    format!(
        r##"{{"openapi":"3.1.0","paths":{paths},"components":{{"securitySchemes":{{
            "key":{{"type":"apiKey","in":"header","name":"k"}},
            "asked":{{"type":"apiKey","in":"query","name":"k"}},
            "baked":{{"type":"apiKey","in":"cookie","name":"k"}},
            "basic":{{"type":"http","scheme":"basic"}},
            "mtls":{{"type":"mutualTLS"}},
            "oauth":{{"type":"oauth2","flows":{{}}}}}}}}}}"##
    )
}

/// A document of one operation with this inside.
fn get(inside: &str) -> String {
    document(&format!(r#"{{"/a/{{id}}":{{"get":{{{inside}}}}}}}"#))
}

/// The mistake at this place is told in these words.
#[track_caller]
fn check(text: &str, place: &str, words: &str) {
    let found = mistakes(text, "a.json");
    let expected = format!("a.json{place}: ");
    let said = found.iter().any(|one| one.starts_with(&expected) && one.contains(words));
    assert!(said, "{text}\nsaid {found:#?}\nnot {expected}…{words}");
}

#[test]
fn every_mistake_names_its_place_and_its_cure() {
    let body = |schema: &str| {
        get(&format!(r#""requestBody":{{"content":{{"application/json":{{"schema":{schema}}}}}}}"#))
    };
    let schema = "#/paths/~1a~1{id}/get/requestBody/content/application~1json/schema";
    for (text, place, words) in [
        ("{".to_owned(), "", "this is not JSON"),
        (
            r#"{"swagger":"2.0"}"#.to_owned(),
            "",
            "not an OpenAPI document of the version 3.0, 3.1 or 3.2",
        ),
        (document("{}"), "", "it has no operation"),
        (document(r#"{"/a/{x}.json":{"get":{}}}"#), "#/paths/~1a~1{x}.json", "a whole segment"),
        (document(r##"{"/a":{"$ref":"#/paths/~1a"}}"##), "#/paths/~1a", "in a circle"),
        (
            get(r#""parameters":[{"name":"x","in":"path"}]"#),
            "#/paths/~1a~1{id}/get/parameters/0",
            "no parameter `{x}`",
        ),
        (
            get(r#""parameters":[{"name":"id","in":"path","style":"matrix"}]"#),
            "#/paths/~1a~1{id}/get/parameters/0",
            "`style` is not read",
        ),
        (
            get(r#""parameters":[{"name":"id"}]"#),
            "#/paths/~1a~1{id}/get/parameters/0",
            "`in` is one of",
        ),
        (
            get(
                r#""parameters":[{"name":"q","in":"querystring","content":{"application/json":{}}}]"#,
            ),
            "#/paths/~1a~1{id}/get/parameters/0",
            "`querystring` is not read",
        ),
        (
            get(r#""requestBody":{"content":{"application/jsonl":{"itemSchema":{}}}}"#),
            "#/paths/~1a~1{id}/get/requestBody/content/application~1jsonl/itemSchema",
            "`itemSchema` is not read",
        ),
        (body(r#"{"type":"strnig"}"#), &format!("{schema}/type"), "this is not a schema"),
        (
            body(r#"{"properties":{"a":{"pattern":"(?=x)y"}}}"#),
            &format!("{schema}/properties/a/pattern"),
            "runs in linear time",
        ),
        (
            body(r#"{"patternProperties":{"(a)\\1":{}}}"#),
            &format!("{schema}/patternProperties/(a)\\1"),
            "runs in linear time",
        ),
        (body(r#"{"$id":"https://a.example/"}"#), schema, "`$id` is not read"),
        (body(r##"{"$ref":"#/nowhere"}"##), schema, "points at nothing"),
        (body(r#"{"$ref":"https://a.example/x.json"}"#), schema, "nothing is fetched"),
        (body(r#"{"$ref":"gone.yaml#/a"}"#), schema, "cannot be read"),
        (
            body(r#"{"$ref":"../../../../../../etc/hostname"}"#),
            schema,
            "outside of the document's folder",
        ),
        (body(r##"{"$ref":"#anchor"}"##), schema, "names an anchor"),
    ] {
        check(&text, place, words);
    }
}

#[test]
fn who_may_call_is_said_or_it_is_a_mistake() {
    for (text, place, words) in [
        (
            get(r#""security":[{}]"#),
            "#/paths/~1a~1{id}/get/security/0",
            "would make the token optional",
        ),
        (
            get(r#""security":[{"oauth":[]},{"asked":[]}]"#),
            "#/paths/~1a~1{id}/get/security/1/asked",
            "the API key of the scheme `asked` comes in `query`",
        ),
        (
            get(r#""security":[{"baked":[]}]"#),
            "#/paths/~1a~1{id}/get/security/0/baked",
            "the API key of the scheme `baked` comes in `cookie`",
        ),
        (
            get(r#""security":[{"key":[],"oauth":[]}]"#),
            "#/paths/~1a~1{id}/get/security/0",
            "an API key together with another credential",
        ),
        (
            get(r#""security":[{"key":[],"mtls":[]}]"#),
            "#/paths/~1a~1{id}/get/security/0",
            "an API key is bound to no certificate",
        ),
        (
            get(r#""security":[{"oauth":[]},{"mtls":[]}]"#),
            "#/paths/~1a~1{id}/get/security",
            "`mutualTLS` is in some alternatives and not in others",
        ),
        (get(r#""security":[{"basic":[]}]"#), "#/paths/~1a~1{id}/get/security/0/basic", "`basic`"),
        (
            get(r#""security":[{"other":[]}]"#),
            "#/paths/~1a~1{id}/get/security/0/other",
            "no scheme is named `other`",
        ),
    ] {
        check(&text, place, words);
    }
}

#[test]
fn yaml_that_is_broken_or_swells_is_refused() {
    let found = mistakes("openapi: 3.1.0\npaths: [\n", "a.yaml");
    assert!(
        found[0].starts_with("a.yaml: this is not YAML") && found[0].contains("line"),
        "{found:?}"
    );
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, name) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(",")));
    }
    let found = mistakes(&bomb, "a.yaml");
    assert!(found[0].starts_with("a.yaml: "), "{found:?}");
    assert!(!mistakes("", "a.yaml").is_empty());
}
