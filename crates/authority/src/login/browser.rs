//! A browser before anybody has signed in: a random name of its own, and later the proof that
//! somebody did sign in there.

use token::base62;
use token::random::Random;

use crate::login::csrf::{Proofs, Purpose};
use crate::login::name_key;

const NAME_CHARS: usize = 43;

/// What a browser is recognised by; it says nothing about who uses it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    name: String,
    proof: Option<String>,
}

// === impl Browser ===

impl Browser {
    /// A browser that was never here.
    pub fn new(random: &dyn Random) -> Self {
        Self { name: base62::random(NAME_CHARS, random), proof: None }
    }

    /// Reads what [`Browser::to_text`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, proof) = match text.split_once('.') {
            Some((name, proof)) => (name, Some(proof)),
            None => (text, None),
        };
        let is_name = name.len() == NAME_CHARS && base62::is_base62(name);
        let is_proof = |proof: &str| proof.len() == 43;
        (is_name && proof.is_none_or(is_proof))
            .then(|| Self { name: name.to_owned(), proof: proof.map(str::to_owned) })
    }

    /// The text that the browser keeps.
    pub fn to_text(&self) -> String {
        match &self.proof {
            Some(proof) => format!("{}.{proof}", self.name),
            None => self.name.clone(),
        }
    }

    /// Its random name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its random name, when the person of this user name has signed in with it before.
    pub fn known_as(&self, username: &str, proofs: &Proofs) -> Option<&str> {
        let proof = self.proof.as_deref()?;
        let known = proofs.check(Purpose::KnownBrowser, &self.name, &name_key(username), proof);
        known.then_some(self.name.as_str())
    }

    /// The same browser after the person of this user name has signed in.
    #[must_use]
    pub fn after_sign_in(&self, username: &str, proofs: &Proofs) -> Self {
        let proof = proofs.make(Purpose::KnownBrowser, &self.name, &name_key(username));
        Self { name: self.name.clone(), proof: Some(proof) }
    }
}

#[cfg(test)]
mod tests {
    use token::random::OsRandom;

    use super::Browser;
    use crate::login::csrf::Proofs;

    #[test]
    fn a_browser_is_known_for_the_name_that_signed_in() {
        let proofs = Proofs::with_key(&[7; 32]);
        let browser = Browser::new(&OsRandom::new());
        assert_eq!(browser.known_as("alice", &proofs), None);
        let later = Browser::parse(&browser.after_sign_in("Alice ", &proofs).to_text());
        let later = later.expect("browser");
        assert_eq!(later.known_as("alice", &proofs), Some(browser.name()));
        assert_eq!(later.known_as("bob", &proofs), None);
        assert_eq!(later.known_as("alice", &Proofs::with_key(&[8; 32])), None);
    }

    #[test]
    fn a_proof_cannot_be_moved_to_another_browser() {
        let proofs = Proofs::with_key(&[7; 32]);
        let proven = Browser::new(&OsRandom::new()).after_sign_in("alice", &proofs).to_text();
        let proof = proven.split_once('.').expect("proof").1;
        let other = format!("{}.{proof}", Browser::new(&OsRandom::new()).to_text());
        assert_eq!(Browser::parse(&other).expect("browser").known_as("alice", &proofs), None);
    }

    #[test]
    fn only_our_own_texts_are_read() {
        let text = Browser::new(&OsRandom::new()).to_text();
        assert!(Browser::parse(&text).is_some());
        for other in ["", "x", &text[1..], &format!("{text}x"), &format!("{text}."), "é"] {
            assert_eq!(Browser::parse(other), None, "{other}");
        }
    }
}
