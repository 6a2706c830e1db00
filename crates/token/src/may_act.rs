//! The `may_act` claim: who may act for the subject (RFC 8693 §4.4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::id::ClientId;

const CLIENT_ID: &str = "client_id";

/// Who may act. In our tokens a JSON object with one member: `{"client_id": "orders"}` for one client, a
/// list in its place for several. What other issuers write there is kept, and names nobody here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MayAct(Map<String, Value>);

// === impl MayAct ===

impl MayAct {
    /// These clients; nothing for none.
    pub fn of(clients: &[String]) -> Option<Self> {
        let named = match clients {
            [] => return None,
            [one] => json!(one),
            several => json!(several),
        };
        Some(Self([(CLIENT_ID.to_owned(), named)].into_iter().collect()))
    }

    /// Whether whatever acts by this client may.
    pub fn names(&self, client: &ClientId) -> bool {
        let is_it = |name: &Value| name.as_str() == Some(client.as_str());
        // Another member would narrow the party down in a way that is not known here.
        self.0.len() == 1
            && match self.0.get(CLIENT_ID) {
                Some(Value::Array(several)) => several.iter().any(is_it),
                Some(one) => is_it(one),
                None => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::MayAct;

    #[test]
    fn names_one_or_several_and_nobody_else() {
        let of = |clients: &[&str]| {
            MayAct::of(&clients.iter().map(|client| (*client).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), None);
        let one = of(&["a"]).expect("claim");
        assert_eq!(serde_json::to_string(&one).expect("JSON"), r#"{"client_id":"a"}"#);
        assert!(one.names(&"a".into()) && !one.names(&"b".into()) && !one.names(&"".into()));
        let two = of(&["a", "b"]).expect("claim");
        assert_eq!(serde_json::to_string(&two).expect("JSON"), r#"{"client_id":["a","b"]}"#);
        assert!(two.names(&"a".into()) && two.names(&"b".into()) && !two.names(&"c".into()));
    }

    #[test]
    fn what_others_write_there_names_nobody() {
        // RFC 8693 §4.4, figure 7; and members that say more than we understand.
        for text in [
            r#"{"sub":"admin@example.com"}"#,
            r#"{"client_id":"a","sub":"u-1"}"#,
            r#"{"client_id":{"a":1}}"#,
            r#"{}"#,
        ] {
            let claim: MayAct = serde_json::from_str(text).expect("claim");
            assert!(!claim.names(&"a".into()), "{text}");
            assert_eq!(serde_json::to_string(&claim).expect("JSON"), text);
        }
        assert!(serde_json::from_str::<MayAct>(r#""a""#).is_err());
    }
}
