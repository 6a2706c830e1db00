//! What a document says of fields, for the inspection of injections.

use contract::UnknownQuery::Allow;
use http::header::CONTENT_TYPE;
use inspect::{Anything, Expect, Expectations as _, Inspector, Place, Stop};

use crate::support::{check, headers, shop};

#[test]
fn fields_have_roles_by_their_schema_and_name() {
    let create = check(&shop(), "POST /v1/orders", Allow);
    let fields = headers(&[(CONTENT_TYPE.as_str(), "application/json")]);
    let expected = create.expectations(&fields);
    let member = |path: &str| expected.expect(&Place::BodyMember(path.to_owned()));
    assert_eq!(member("$.note"), Expect::FreeText);
    assert_eq!(member("$.customer.site"), Expect::Url { inner: false });
    let list = check(&shop(), "GET /v1/orders", Allow);
    let listed = list.expectations(&fields);
    assert_eq!(listed.expect(&Place::Query("limit".to_owned())), Expect::Identifier);
    assert_eq!(expected.expect(&Place::Header("x-trace".to_owned())), Expect::Identifier);
    for other in
        ["$.customer.email", "$.items[0].sku", "$.nowhere", "$[\"note\"]", "$", "$.items[x]"]
    {
        assert_eq!(member(other), Expect::Unknown, "{other}");
    }
}

#[test]
fn what_is_prose_by_its_schema_alarms_nobody() {
    let create = check(&shop(), "POST /v1/orders", Allow);
    let fields = headers(&[(CONTENT_TYPE.as_str(), "application/json")]);
    let inspector = Inspector::default();
    let judge = |member: &str, known: bool| {
        let text = format!(r#"{{"{member}":"cat /etc/issue.net"}}"#);
        let kind = Some("application/json");
        match known {
            true => inspector.body(kind, text.as_bytes(), &create.expectations(&fields)),
            false => inspector.body(kind, text.as_bytes(), &Anything),
        }
    };
    assert!(matches!(judge("other", true), Err(Stop::Found(_))));
    // A name that only looks like the path of a field is not that field.
    assert!(matches!(judge("a.note", true), Err(Stop::Found(_))));
    assert!(matches!(judge("note", false), Err(Stop::Found(_))));
    assert_eq!(judge("note", true), Ok(()));
}
