//! Which of our crates may use which: the one picture of ARCHITECTURE.md.

use cargo_metadata::{DependencyKind, Metadata};

/// Each crate and those that it may use. Whoever adds an edge changes ARCHITECTURE.md too.
const ALLOWED: [(&str, &[&str]); 19] = [
    ("authority", &["mail", "remote", "store", "token"]),
    ("console", &["authority", "detect", "mail", "notify", "store", "token"]),
    ("contract", &["inspect"]),
    ("detect", &["store", "token"]),
    ("extauthz", &["gateway", "token", "wire"]),
    ("gateway", &["contract", "inspect", "token", "wire"]),
    ("geo", &["token"]),
    ("inspect", &[]),
    ("mail", &["token"]),
    ("notify", &["mail", "remote", "store", "token"]),
    ("policy", &["gateway", "token"]),
    ("remote", &["token"]),
    ("scenario", &["token"]),
    ("store", &["token"]),
    ("token", &[]),
    (
        "tokenward",
        &[
            "authority",
            "console",
            "contract",
            "detect",
            "extauthz",
            "gateway",
            "geo",
            "mail",
            "notify",
            "policy",
            "remote",
            "scenario",
            "store",
            "token",
            "wire",
        ],
    ),
    ("tokenward-verify", &["gateway", "remote", "token"]),
    ("wire", &[]),
    ("xtask", &[]),
];

/// What is refused.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let members = metadata.workspace_packages();
    let mut found = Vec::new();
    for package in &members {
        let ours = package.dependencies.iter().filter(|dependency| {
            members.iter().any(|member| *member.name == dependency.name)
                && dependency.kind != DependencyKind::Development
        });
        let used = ours.map(|dependency| dependency.name.as_str()).collect();
        found.push((package.name.as_str(), used));
    }
    check_edges(&found)
}

fn check_edges(found: &[(&str, Vec<&str>)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, used) in found {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            problems.push(format!("crate `{name}` is not in the table of edges: add it there"));
            continue;
        };
        for other in used.iter().filter(|other| !allowed.contains(other)) {
            problems.push(format!("`{name}` must not use `{other}`: see ARCHITECTURE.md"));
        }
    }
    for (name, _) in
        ALLOWED.iter().filter(|(name, _)| !found.iter().any(|(known, _)| known == name))
    {
        problems.push(format!("the table of edges has `{name}`, which is no crate any more"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<(&'static str, Vec<&'static str>)> {
        ALLOWED.iter().map(|(name, _)| (*name, Vec::new())).collect()
    }

    #[test]
    fn an_edge_against_the_arrow_is_refused() {
        assert!(check_edges(&all()).is_empty());
        for (from, to) in [("token", "store"), ("gateway", "store"), ("authority", "gateway")] {
            let mut found = all();
            found.iter_mut().find(|(name, _)| *name == from).unwrap().1.push(to);
            assert_eq!(check_edges(&found).len(), 1, "{from} → {to}");
        }
    }

    #[test]
    fn unknown_and_gone_crates_are_named() {
        let mut found = all();
        found[0].0 = "newcomer";
        let problems = check_edges(&found);
        assert!(problems[0].contains("newcomer") && problems[1].contains("authority"));
    }
}
