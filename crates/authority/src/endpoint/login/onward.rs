//! How a request goes on after sign-in, or starts again for somebody else.

use std::borrow::Cow;

use token::term::parameter;

use crate::parameters::Parameters;
use crate::rule::prompt;

/// Our mark on the name of a pushed request: the person has signed in for it.
const SIGNED_IN: &str = "signed_in";

/// A pushed request with what has happened since, as the marks beside its name say.
pub(crate) fn marked(pushed: &str, beside: &Parameters) -> String {
    let signed_in = beside.value(SIGNED_IN).is_some();
    let text = if signed_in { after_sign_in(pushed) } else { pushed.to_owned() };
    let again = beside.value(parameter::PROMPT) == Some(prompt::LOGIN);
    if again { for_another_account(&text) } else { text }
}

/// The request without what a sign-in has just fulfilled. Whoever sits at the browser could take
/// it out as well; a client that must know looks at `auth_time` in the ID token.
pub(crate) fn after_sign_in(request: &str) -> String {
    let mut text = rewrite(request, |words| words.retain(|word| word != prompt::LOGIN), true);
    let named = |(name, _): (Cow<'_, str>, _)| {
        matches!(&*name, parameter::REQUEST | parameter::REQUEST_URI)
    };
    if form_urlencoded::parse(request.as_bytes()).any(named) {
        text.push('&');
        text.push_str(SIGNED_IN);
        text.push_str("=1");
    }
    text
}

/// The request for somebody else than who is signed in now.
pub(crate) fn for_another_account(request: &str) -> String {
    let add = |words: &mut Vec<String>| {
        if words.iter().all(|word| word != prompt::LOGIN) {
            words.push(prompt::LOGIN.to_owned());
        }
    };
    rewrite(request, add, false)
}

fn rewrite(request: &str, change: impl FnOnce(&mut Vec<String>), drop_max_age: bool) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.as_bytes()) {
        match &*name {
            parameter::PROMPT => words.extend(value.split(' ').map(str::to_owned)),
            parameter::MAX_AGE if drop_max_age => {}
            SIGNED_IN => {}
            _ => {
                query.append_pair(&name, &value);
            }
        }
    }
    change(&mut words);
    if !words.is_empty() {
        query.append_pair(parameter::PROMPT, &words.join(" "));
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::{after_sign_in, for_another_account, marked};
    use crate::parameters::Parameters;

    #[test]
    fn a_sign_in_fulfils_prompt_login_and_max_age() {
        assert_eq!(
            after_sign_in("client_id=a&max_age=0&prompt=login+consent&state=%26"),
            "client_id=a&state=%26&prompt=consent"
        );
        assert_eq!(after_sign_in("client_id=a&prompt=login"), "client_id=a");
        assert_eq!(after_sign_in("a=1&resource=x&resource=y"), "a=1&resource=x&resource=y");
    }

    #[test]
    fn a_pushed_request_is_marked_beside_its_name() {
        let name = "client_id=a&request_uri=urn%3Ax";
        let after = after_sign_in(name);
        assert_eq!(after, "client_id=a&request_uri=urn%3Ax&signed_in=1");
        assert_eq!(after_sign_in(&after), after, "once");
        let pushed = "client_id=a&max_age=0&prompt=login+consent&state=1";
        let beside = |text| Parameters::parse(text).expect("parameters");
        assert_eq!(marked(pushed, &beside(name)), pushed);
        assert_eq!(marked(pushed, &beside(&after)), "client_id=a&state=1&prompt=consent");
        let another = for_another_account(&after);
        assert_eq!(another, "client_id=a&request_uri=urn%3Ax&prompt=login");
        assert_eq!(
            marked("client_id=a&state=1", &beside(&another)),
            "client_id=a&state=1&prompt=login"
        );
    }

    #[test]
    fn another_account_has_to_sign_in() {
        assert_eq!(for_another_account("client_id=a"), "client_id=a&prompt=login");
        assert_eq!(for_another_account("prompt=consent&a=1"), "a=1&prompt=consent+login");
        assert_eq!(for_another_account("prompt=login&max_age=9"), "max_age=9&prompt=login");
    }
}
