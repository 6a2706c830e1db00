//! The `act` claim: who acts for the subject, and who acted before (RFC 8693 §4.1).

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, SubjectId};

/// An acting party. The outermost is the current one; those inside acted before it, and are there
/// to be read by people, not to decide by (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who acts.
    pub sub: SubjectId,
    /// Whose name for it that is; without it, the token's issuer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The client that it acts by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

// === impl Actor ===

impl Actor {
    /// The chain, the current actor first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |actor| actor.act.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::Actor;

    #[test]
    fn the_nested_example_of_the_specification() {
        // RFC 8693 §4.1, figure 6.
        let text = r#"{"sub":"https://service16.example.com","act":{"sub":"https://service77.example.com"}}"#;
        let actor: Actor = serde_json::from_str(text).expect("actor");
        let chain: Vec<&str> = actor.chain().map(|actor| actor.sub.as_str()).collect();
        assert_eq!(chain, ["https://service16.example.com", "https://service77.example.com"]);
        assert_eq!(serde_json::to_string(&actor).expect("JSON"), text);
        for text in [r#"{}"#, r#"{"sub":1}"#, r#"{"sub":"a","act":"b"}"#, r#""a""#] {
            assert!(serde_json::from_str::<Actor>(text).is_err(), "{text}");
        }
    }
}
