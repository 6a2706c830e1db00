//! Mistakes in files of policies, each with its place.

use super::{routes, source};
use crate::{Engine, Source};

fn mistakes(text: &str) -> Vec<String> {
    let found = Engine::new(&[source(text)], None, &routes()).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_mistake_is_named_with_file_and_line() {
    for (text, begins, names) in [
        ("\n\npermit(principal action, resource);", "policies/shop.cedar:3: ", "action"),
        (
            "permit(principal, action, resource) when { context.x + };",
            "policies/shop.cedar:1: ",
            "",
        ),
        (
            "permit(principal, action, resource) when { nonsense(1) };",
            "policies/shop.cedar:1: ",
            "nonsense",
        ),
        ("permit(principal == ?principal, action, resource);", "policies/shop.cedar: ", "template"),
    ] {
        let found = mistakes(text);
        let first = found.first().unwrap_or_else(|| panic!("a mistake in {text}"));
        assert!(first.starts_with(begins) && first.contains(names), "{first}");
    }
}

#[test]
fn routes_that_are_not_there_are_mistakes() {
    for (text, names) in [
        ("forbid(principal, action == Action::\"GET /order/{id}\", resource);", "GET /order/{id}"),
        ("forbid(principal, action == Action::\"PUT /orders/{id}\", resource);", "PUT"),
        ("forbid(principal, action, resource == Route::\"/orders/{no}\");", "/orders/{no}"),
        (
            "permit(principal, action, resource);
             forbid(principal, action, resource) unless { resource in [Route::\"/x\"] };",
            "shop.cedar:2: ",
        ),
    ] {
        let found = mistakes(text);
        assert!(found.len() == 1 && found[0].contains(names), "{found:?}");
    }
    for text in [
        "forbid(principal, action == Action::\"GET /orders/{id}\", resource);",
        "forbid(principal, action == Action::\"PATCH /files/{rest...}\", resource);",
        "forbid(principal, action in Action::\"PUT\", resource == Route::\"/files/{rest...}\");",
        "permit(principal, action == Action::\"can_read\", resource == document::\"a\");",
    ] {
        assert_eq!(mistakes(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn names_of_policies_are_their_own() {
    let text = "@id(\"one\") permit(principal, action, resource);
        @id(\"one\") forbid(principal, action, resource);";
    let found = mistakes(text);
    assert!(found.len() == 1 && found[0].contains("`one` already"), "{found:?}");
    let other =
        Source { path: "more/shop.cedar".into(), ..source("permit(principal,action,resource);") };
    let both = Engine::new(&[source("forbid(principal,action,resource);"), other], None, &[]);
    let found = both.err().unwrap_or_default();
    assert!(found[0].to_string().starts_with("more/shop.cedar:1: "), "{found:?}");
}

#[test]
fn policies_keep_to_a_schema() {
    let schema = Source {
        path: "shop.cedarschema".into(),
        text: "entity Group; entity Route = { path: String };
            entity User in [Group] = { subject: String, scopes: Set<String> };
            action GET, DELETE;
            action \"GET /orders/{id}\" in [GET] appliesTo {
                principal: [User], resource: [Route], context: { ip: ipaddr, bound: Bool } };"
            .into(),
    };
    let with = |text: &str| Engine::new(&[source(text)], Some(&schema), &routes());
    let good = "permit(principal, action == Action::\"GET /orders/{id}\", resource)
        when { principal.scopes.contains(\"a\") && context.bound };";
    assert_eq!(with(good).expect("good").len(), 1);
    for (wrong, names) in [
        (good.replace("scopes", "scope"), "scope"),
        (good.replace("context.bound", "context.bound == \"yes\""), "shop.cedar:"),
        (good.replace("GET /orders/{id}", "DELETE /orders/{id}"), "DELETE /orders/{id}"),
    ] {
        let found = with(&wrong).err().unwrap_or_default();
        assert!(found.iter().any(|one| one.to_string().contains(names)), "{found:?}");
    }
    let broken = Source { text: "entity".into(), ..schema };
    let found = Engine::new(&[source(good)], Some(&broken), &routes()).err().unwrap_or_default();
    assert!(found[0].to_string().starts_with("shop.cedarschema"), "{found:?}");
}
