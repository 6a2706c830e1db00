//! Durable state of Tokenward: clients, people, grants, keys, restrictions and findings.
//!
//! The only SQL. Everything that changes state is an *act*: one function over a transaction, run
//! by one writer thread that commits what waits together, one sync to disk for all of it. An act
//! that was answered survives the end of the process at any moment; a restriction holds in memory
//! before the act that wrote it is answered. Reads run on the calling thread.

mod audit;
mod background;
mod browser_session;
mod client;
mod client_options;
mod code;
mod consent;
mod delivery;
mod error;
mod factor;
mod finding;
mod forget;
mod grant;
mod honeytoken;
mod identity;
mod incident;
mod issued;
mod key;
mod link;
mod master_key;
mod meta;
mod open;
mod passkey;
mod personal;
mod pushed;
mod reader;
mod reference;
mod refresh;
mod remembered;
mod restriction;
mod schema;
pub mod seal;
mod session;
mod shared;
mod sign_in;
mod sql;
mod status_list;
mod tolerance;
mod used;
mod user;
mod waiting;
mod writer;

pub use audit::{AuditEntry, AuditRow};
pub use browser_session::BrowserSession;
pub use client::Client;
pub use client_options::{CertificateSubject, ClientOptions};
pub use code::{Code, CodeState, Redeemed};
pub use consent::{Consent, TakenBack};
pub use delivery::{Delivery, DeliveryCounts, DeliveryState, NewDelivery};
pub use error::StoreError;
pub use factor::{Factors, Removal, TotpFactor};
pub use finding::sought::FindingsSought;
pub use finding::{Belongs, KeptFinding, NewFinding, StoredFinding, Undoing, Verdict};
pub use forget::Forgotten;
pub use grant::{ClaimsRequest, Grant, GrantsOf};
pub use honeytoken::Honeytoken;
pub use identity::{Identity, IdentityRemoval, NewIdentity};
pub use incident::Incident;
pub use issued::IssuedToken;
pub use key::{KeyState, StoredKey};
pub use link::{Link, LinkPurpose};
pub use master_key::{BadMasterKey, MasterKey};
pub use open::{Settings, Store};
pub use passkey::{Passkey, PasskeyUse};
pub use personal::{LastUse, Rotated, StoredPersonal, Succession};
pub use pushed::PushedRequest;
pub use refresh::{NewRefresh, Next, RefreshState, Rotate, Rotation};
pub use restriction::{Filter, HeldRestriction, Lift, LogPage, NewRestriction, RestrictionRow};
pub use session::{Session, Upstream};
pub use shared::Health;
pub use sign_in::{FailedTries, FailedTry, MOST_SIGN_INS, SIGN_INS_KEPT, SignIn, Wrong};
pub use status_list::{StatusMark, StatusPlace};
pub use tolerance::{Consequence, Tolerance};
pub use used::UsedKind;
pub use user::{USER_DELETED, User};
pub use waiting::{Progress, Waiting, WaitingKind, WaitingState};

#[cfg(test)]
mod tests;
