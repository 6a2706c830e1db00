//! The `authorization_details` claim: what exactly was allowed, where scopes say too little (RFC 9396 §2).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that was asked for or allowed. The members that RFC 9396 §2.2 names have their type;
/// the others belong to the detail's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// What the members mean (§2).
    #[serde(rename = "type")]
    pub kind: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// What may be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Of which kinds of data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datatypes: Vec<String>,
    /// Of which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// At which level of privilege.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub privileges: Vec<String>,
    /// Whatever else this type has.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::AuthorizationDetail;

    #[test]
    fn the_payment_of_the_specification() {
        // RFC 9396 §2, figure 2.
        let value = json!({
            "type": "payment_initiation",
            "locations": ["https://example.com/payments"],
            "actions": ["initiate", "status", "cancel"],
            "instructedAmount": {"currency": "EUR", "amount": "123.50"},
            "creditorName": "Merchant A",
        });
        let detail: AuthorizationDetail = serde_json::from_value(value.clone()).expect("detail");
        assert_eq!(detail.kind, "payment_initiation");
        assert_eq!(detail.actions.len(), 3);
        assert_eq!(detail.members["instructedAmount"]["amount"], "123.50");
        assert_eq!(serde_json::to_value(&detail).expect("JSON"), value);
    }

    #[test]
    fn members_of_the_specification_have_its_types() {
        for value in [
            json!({}),
            json!({"type": 1}),
            json!({"type": "a", "actions": "read"}),
            json!({"type": "a", "identifier": ["x"]}),
            json!("a"),
        ] {
            assert!(
                serde_json::from_value::<AuthorizationDetail>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}
