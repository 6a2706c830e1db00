//! Variables of the environment that are meant for the program: options, its own, those that the file names, and
//! those that mean nothing, which are told.

use schemars::schema_for;
use serde_json::Value;

use crate::config::load::{Environment, PREFIX};
use crate::config::reference::Reader;
use crate::config::{Config, meant};

/// What the program reads beside options.
const OWN: [&str; 3] = ["TOKENWARD_ADMIN_TOKEN", "TOKENWARD_ADMIN_URL", "TOKENWARD_MASTER_KEY"];
/// What Kubernetes gives every container of a namespace that has a service called `tokenward`.
const OF_A_SERVICE: [&str; 2] = ["TOKENWARD_PORT", "TOKENWARD_SERVICE_"];

/// Whether a variable is put over the file. One of a part that is not there is a mistake, so that every name with
/// parts is.
pub(crate) fn is_put_over(name: &str) -> bool {
    let is_own = OWN.contains(&name);
    name.contains("__")
        || (!is_own && options().iter().any(|option| option.eq_ignore_ascii_case(name)))
}

/// What is said of each variable that means nothing: its name, and the name that was probably meant.
pub(crate) fn ignored(config: &Config, environment: &Environment) -> Vec<String> {
    let named = serde_json::to_value(config).unwrap_or_default();
    let means_something = |name: &str| {
        OWN.contains(&name)
            || OF_A_SERVICE.iter().any(|prefix| name.starts_with(prefix))
            || is_put_over(name)
            || names(&named, name)
    };
    let unknown: Vec<&String> = environment.keys().filter(|name| !means_something(name)).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let mut known = options();
    known.extend(OWN.map(str::to_owned));
    // What all have in common is no likeness.
    let rest = |name: &str| name.trim_start_matches(PREFIX).to_ascii_uppercase();
    let rests: Vec<String> = known.iter().map(|name| rest(name)).collect();
    let said = |name: &String| match meant::nearest(&rest(name), rests.iter().map(String::as_str)) {
        Some(near) => format!("{name} is ignored: did you mean {PREFIX}{near}?"),
        None => format!("{name} is ignored: no option has this name"),
    };
    unknown.into_iter().map(said).collect()
}

/// Every option that a variable can have, but for those of lists and of parts with names of their own.
fn options() -> Vec<String> {
    let schema = Value::from(schema_for!(Config));
    let reader = Reader::of(&schema);
    let mut all = Vec::new();
    add(&mut all, PREFIX, reader, &schema);
    all
}

fn add<'a>(all: &mut Vec<String>, before: &str, reader: Reader<'a>, section: &'a Value) {
    let properties = section.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let name = format!("{before}{}", name.to_ascii_uppercase());
        match reader.object(property) {
            Some(inner) => add(all, &format!("{name}__"), reader, inner),
            None => all.push(name),
        }
    }
}

/// Whether some option says that a secret is in this variable.
fn names(value: &Value, variable: &str) -> bool {
    match value {
        Value::String(text) => text == variable,
        Value::Array(items) => items.iter().any(|item| names(item, variable)),
        Value::Object(members) => members.values().any(|member| names(member, variable)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ignored;
    use crate::config::load::{Environment, parse};

    fn said(text: &str, names: &[&str]) -> Vec<String> {
        let environment: Environment =
            names.iter().map(|name| ((*name).to_owned(), "1s".to_owned())).collect();
        let config = parse(Path::new("t.toml"), text, &environment).expect("config");
        ignored(&config, &environment)
    }

    #[test]
    fn what_means_nothing_is_told_with_what_was_meant() {
        for (name, words) in [
            ("TOKENWARD_FOO", "TOKENWARD_FOO is ignored: no option has this name"),
            (
                "TOKENWARD_AUTHORITY_ISSUER",
                "TOKENWARD_AUTHORITY_ISSUER is ignored: did you mean TOKENWARD_AUTHORITY__ISSUER?",
            ),
            (
                "TOKENWARD_MASTERKEY",
                "TOKENWARD_MASTERKEY is ignored: did you mean TOKENWARD_MASTER_KEY?",
            ),
            ("TOKENWARD_DRIAN", "TOKENWARD_DRIAN is ignored: did you mean TOKENWARD_DRAIN?"),
            ("TOKENWARD_GATEWAY", "TOKENWARD_GATEWAY is ignored: no option has this name"),
        ] {
            assert_eq!(said("", &[name]), [words]);
        }
    }

    #[test]
    fn what_means_something_is_not() {
        let text = "[[notify.webhook]]\nname = \"hook\"\nurl = \"https://a.example\"\nsecret_env = \"TOKENWARD_HOOK\"\n";
        let names = [
            "TOKENWARD_ADMIN_URL",
            "TOKENWARD_ADMIN_TOKEN",
            "TOKENWARD_MASTER_KEY",
            "TOKENWARD_DRAIN",
            "TOKENWARD_drain",
            "TOKENWARD_AUTHORITY__ACCESS_TOKEN_LIFE",
            "TOKENWARD_SERVICE_HOST",
            "TOKENWARD_PORT_8080_TCP_ADDR",
        ];
        assert_eq!(said("", &names), Vec::<String>::new());
        assert_eq!(said(text, &["TOKENWARD_HOOK"]), Vec::<String>::new());
        assert_eq!(said("", &["TOKENWARD_HOOK"]).len(), 1);
    }
}
