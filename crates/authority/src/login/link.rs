//! Links in letters: a secret that is good once, for one purpose, for whoever reads one address.

use std::time::Duration;

use store::{Link, LinkPurpose, StoreError};
use token::base62;
use token::id::SubjectId;
use token::opaque::OpaqueHash;
use token::time::Timestamp;

use crate::letters::Occasion;
use crate::state::Authority;

/// How long somebody may take who asked for a link.
const ASKED_LIFE: Duration = Duration::from_mins(30);
/// How long somebody may take who is asked whether it was them: letters are read late.
const DOUBTED_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long somebody may take who is invited.
const INVITED_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// 256 bits.
const SECRET_CHARS: usize = 43;
const ID_CHARS: usize = 16;

/// The parameter that has the secret.
pub(crate) const CODE: &str = "code";

/// A link that is to be.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    /// What it is for.
    pub(crate) purpose: LinkPurpose,
    /// Whose account it is about.
    pub(crate) subject: Option<&'a SubjectId>,
    /// Where it is sent.
    pub(crate) address: &'a str,
    /// The user name that an invitation proposes.
    pub(crate) username: Option<String>,
    /// The name that an invitation proposes.
    pub(crate) name: Option<String>,
    /// Who has it sent.
    pub(crate) created_by: String,
}

/// What is kept of the text that a link has.
pub(crate) fn hash(text: &str) -> Option<OpaqueHash> {
    let is_ours = text.len() == SECRET_CHARS && base62::is_base62(text);
    is_ours.then(|| OpaqueHash::of(text))
}

/// How long a link is good.
pub(crate) fn life(purpose: LinkPurpose) -> Duration {
    match purpose {
        LinkPurpose::Disown => DOUBTED_LIFE,
        LinkPurpose::Invitation => INVITED_LIFE,
        LinkPurpose::Address | LinkPurpose::Reset | LinkPurpose::SignUp => ASKED_LIFE,
    }
}

// === impl Authority ===

impl Authority {
    /// Makes a link and keeps it; the second is its address, which is under the issuer whatever the request
    /// said of its host.
    pub(crate) async fn make_link(
        &self,
        draft: Draft<'_>,
        now: Timestamp,
    ) -> Result<(Link, String), StoreError> {
        let secret = base62::random(SECRET_CHARS, self.random());
        let life = life(draft.purpose);
        let link = Link {
            hash: OpaqueHash::of(&secret),
            id: base62::random(ID_CHARS, self.random()),
            purpose: draft.purpose,
            subject: draft.subject.cloned(),
            address: draft.address.to_owned(),
            username: draft.username,
            name: draft.name,
            created_by: draft.created_by,
            created_at: now,
            expires_at: now.plus(life),
        };
        self.store().save_link(&link).await?;
        let url = self.settings().url(&format!("/link?{CODE}={secret}"));
        Ok((link, url))
    }

    /// Invites somebody by a letter; nobody but its reader sees the link.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub async fn invite(
        &self,
        address: &str,
        username: Option<String>,
        name: Option<String>,
        actor: &str,
        now: Timestamp,
    ) -> Result<Link, StoreError> {
        let (purpose, created_by) = (LinkPurpose::Invitation, actor.to_owned());
        let draft = Draft { purpose, subject: None, address, username, name, created_by };
        let (link, url) = self.make_link(draft, now).await?;
        let language = self.settings().catalogue.usual();
        self.write_to(address, &Occasion::Invitation { url }, language, now);
        Ok(link)
    }
}
