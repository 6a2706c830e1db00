//! Pages and letters that are an operator's own.

use super::browser::request;
use super::support::{Answer, Harness, settings};
use crate::branding::{Branding, Links, Logo, MOST_LOGO_BYTES, Own, Picture};
use crate::settings::Settings;

const NAME: &str = "Example & <Sons>";

fn drawn(colour: &str) -> Picture {
    let text = format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><path fill=\"{colour}\"/></svg>");
    Picture::new(text.into_bytes(), MOST_LOGO_BYTES).expect("picture")
}

fn branded() -> Settings {
    let logo = Logo { light: drawn("#111"), dark: Some(drawn("#eee")) };
    let link = |path: &str| Some(format!("https://example.com/{path}").parse().expect("link"));
    let branding = Branding::new(Own {
        name: Some(NAME.to_owned()),
        accent: None,
        logo: Some(logo),
        icon: Some(drawn("#222")),
        links: Links { terms: link("terms"), privacy: link("privacy?a=b"), support: link("help") },
    });
    Settings { branding, ..settings() }
}

/// The file that an attribute of the page names.
async fn file(harness: &Harness, page: &Answer, before: &str) -> Answer {
    let rest = page.text.split_once(before).unwrap_or_else(|| panic!("{before}: {}", page.text)).1;
    harness.get(rest.split('"').next().expect("path")).await
}

#[tokio::test]
async fn pages_have_the_name_the_pictures_and_the_links() {
    let harness = Harness::with(branded()).await;
    let page = harness.get(&request(&harness.public, &[])).await;
    let title = page.text.split("</title>").next().expect("title");
    assert!(title.ends_with("Example &#38; &#60;Sons&#62;"), "{title}");
    assert!(page.text.contains("alt=\"Example &#38; &#60;Sons&#62;\""), "{}", page.text);
    assert!(page.text.contains("href=\"https://example.com/privacy?a=b\""), "{}", page.text);
    for words in ["Terms of service", "Privacy policy", "Help"] {
        assert!(page.text.contains(words), "{words}");
    }
    assert!(!page.text.contains("127.0.0.1:8080</"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("img-src 'self';") && !policy.contains("unsafe"), "{policy}");
    for (before, colour) in [("<img src=\"", "#111"), ("<source srcset=\"", "#eee")] {
        let logo = file(&harness, &page, before).await;
        assert_eq!((logo.status, logo.header("content-type")), (200, "image/svg+xml"));
        assert!(logo.text.contains(colour), "{}", logo.text);
        // Whoever opens it by itself runs nothing.
        let policy = logo.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
        assert!(logo.header("cache-control").contains("immutable"));
    }
    let icon = file(&harness, &page, "type=\"image/svg+xml\" href=\"").await;
    assert!(icon.text.contains("#222"), "{}", icon.text);
}

#[tokio::test]
async fn without_any_pages_are_of_the_host() {
    let harness = Harness::new().await;
    let page = harness.get(&request(&harness.public, &[])).await;
    for absent in ["<img", "<picture", "foot-links", "class=\"brand\""] {
        assert!(!page.text.contains(absent), "{absent}: {}", page.text);
    }
    assert!(page.text.contains("127.0.0.1:8080"), "{}", page.text);
}
