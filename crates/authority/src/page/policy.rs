//! What a page may load, and where its form may lead (Content Security Policy Level 3).

use std::sync::LazyLock;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where the form of a page leads in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads<'a> {
    /// To a page of ours.
    Here,
    /// There is no form.
    Nowhere,
    /// To the redirect URI of a client, or to other places, each by its scheme.
    Several(&'a [&'a str]),
    /// To the redirect URI of a client, by the one script that there is.
    Straight(&'a str),
    /// To the redirect URI of a client.
    To(&'a str),
}

/// The script that sends a form on.
pub(super) const SEND: &str = "document.forms[0].submit()";
static MAY_SEND: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, SEND.as_bytes());
    format!("script-src 'sha256-{}'; ", STANDARD.encode(hash))
});

/// The policy of a page whose form leads there, and which may have a script of ours.
pub(super) fn of(form: Leads<'_>, has_script: bool) -> String {
    let targets = match form {
        Leads::Here => "'self'".to_owned(),
        Leads::Nowhere => "'none'".to_owned(),
        Leads::Several(uris) => {
            let schemes: Vec<String> = uris.iter().map(|uri| schemes_behind(uri)).collect();
            let mut targets: Vec<&str> = schemes.iter().flat_map(|one| one.split(' ')).collect();
            targets.sort_unstable();
            targets.dedup();
            format!("'self' {}", targets.join(" "))
        }
        Leads::Straight(uri) => schemes_behind(uri),
        Leads::To(uri) => format!("'self' {}", schemes_behind(uri)),
    };
    let script = match form {
        Leads::Straight(_) => MAY_SEND.as_str(),
        _ if has_script => "script-src 'self'; ",
        _ => "",
    };
    format!(
        "default-src 'none'; {script}style-src 'self'; img-src 'self'; form-action {targets}; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Chromium holds every redirect that follows a form to `form-action`, also those that the
/// client makes behind its redirect URI, whose hosts nobody here can know: so whole schemes.
fn schemes_behind(uri: &str) -> String {
    match uri.split_once(':').map_or("https", |(scheme, _)| scheme) {
        "https" => "https:".to_owned(),
        // An app on the person's machine often shows a web page in the end.
        "http" => "http: https:".to_owned(),
        own => format!("{own}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Leads, of};

    #[test]
    fn nothing_runs_and_nobody_frames() {
        for form in [Leads::Nowhere, Leads::Here, Leads::To("https://app.example/cb")] {
            let policy = of(form, false);
            assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
            assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn a_script_is_a_file_of_ours() {
        let policy = of(Leads::Here, true);
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn a_form_leads_back_to_the_client() {
        let targets = |form| {
            let policy = of(form, false);
            let rest = policy.split_once("form-action ").expect("directive").1;
            rest.split(';').next().expect("targets").to_owned()
        };
        assert_eq!(targets(Leads::Nowhere), "'none'");
        assert_eq!(targets(Leads::Here), "'self'");
        assert_eq!(targets(Leads::To("https://app.example/cb")), "'self' https:");
        assert_eq!(targets(Leads::To("http://[::1]:9/cb")), "'self' http: https:");
        assert_eq!(targets(Leads::To("com.example.app:/cb")), "'self' com.example.app:");
        let several = Leads::Several(&["com.example.app:/cb", "https:", "https://x"]);
        assert_eq!(targets(several), "'self' com.example.app: https:");
    }
}
