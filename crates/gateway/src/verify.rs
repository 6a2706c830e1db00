//! Step 2, verify: form, signature, issuer, audience and times of the token.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use token::encryption_key::DecryptionKey;
use token::event::TokenKind;
use token::foreign::is_jwt;
use token::jws::Jws;
use token::keyring::Keyring;
use token::ladder::Ladder;
use token::opaque::OpaqueHash;
use token::personal::{NotPersonal, PersonalTokens, is_personal, verify_personal};
use token::reason::{Forgery, Refused};
use token::reference::{self, References, Unavailable};
use token::scope::ScopeSet;
use token::secret::Secret;
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, AlikeTokens, VerifiedAccessToken, verify_access_token};

use crate::ask::{Heard, Question};
use crate::cache::{Remembered, TokenCache, Under};
use crate::foreign::{Foreign, ForeignIssuers, Prospect};
use crate::identity::{Identities, Identity};
use crate::inside::Phantoms;
use crate::limit::Doubt;
use crate::meters::CacheMeters;
use crate::open::open;
use crate::policy::Principal;
use crate::present::Presented;
use crate::refusal::{Fault, Refusal};

/// The number of our own issuer.
const OURS: u32 = 0;

/// How many differences between tokens are kept once for all that share them: clients with their scopes.
const ALIKE: usize = 4096;

/// A token that was verified at least once, with all that is derived from it. A hundred thousand of them are
/// kept: what many share is shared, and what few need is made when it is needed.
pub(crate) struct Known {
    pub(crate) token: VerifiedAccessToken,
    pub(crate) identity: Arc<Identity>,
    derived: OnceLock<Box<Derived>>,
}

/// What is made of a token where somebody asks for it.
#[derive(Default)]
struct Derived {
    /// The gateway's own tokens that stand for it.
    phantoms: Arc<Phantoms>,
    /// What policies know it as.
    principal: OnceLock<Principal>,
}

/// A token whose signature, issuer, audience and times are good just now.
pub struct Verified(Arc<Known>);

/// What verification needs, made once.
pub(crate) struct Verifier {
    pub(crate) policy: AccessTokenPolicy,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) decryption: Vec<Arc<DecryptionKey>>,
    pub(crate) references: Option<Arc<dyn References>>,
    pub(crate) personal: Option<Arc<dyn PersonalTokens>>,
    /// By it a personal token is held to what its owner may do.
    pub(crate) ladder: Ladder,
    pub(crate) foreign: ForeignIssuers,
    pub(crate) cache: Arc<TokenCache>,
    pub(crate) shared: Shared,
    /// Whether somebody asks what else the issuer has written; without, it is not kept.
    pub(crate) keeps_members: AtomicBool,
    pub(crate) meters: CacheMeters,
}

/// What tokens that are remembered have in common.
pub(crate) struct Shared {
    alike: AlikeTokens,
    identities: Identities,
}

// === impl Known ===

impl Known {
    fn new(token: VerifiedAccessToken, identity: Arc<Identity>) -> Self {
        Self { token, identity, derived: OnceLock::new() }
    }

    fn derived(&self) -> &Derived {
        self.derived.get_or_init(Box::default)
    }

    /// The gateway's own tokens that stand for it.
    pub(crate) fn phantoms(&self) -> &Arc<Phantoms> {
        &self.derived().phantoms
    }

    /// What policies know it as, which is made when they are asked for the first time.
    pub(crate) fn principal(&self, make: impl FnOnce() -> Principal) -> &Principal {
        self.derived().principal.get_or_init(make)
    }

    /// The same with less.
    pub(crate) fn without(&self, scopes: &ScopeSet) -> Self {
        let token = self.token.without(scopes);
        let identity = Arc::new(Identity::of(&token));
        let derived = Derived { phantoms: Arc::clone(self.phantoms()), principal: OnceLock::new() };
        Self { derived: OnceLock::from(Box::new(derived)), ..Self::new(token, identity) }
    }
}

// === impl Shared ===

impl Shared {
    /// What is kept of a token.
    pub(crate) fn known(&self, token: VerifiedAccessToken) -> Arc<Known> {
        let token = self.alike.share(token);
        let identity = self.identities.of(&token);
        Arc::new(Known::new(token, identity))
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self { alike: AlikeTokens::new(ALIKE), identities: Identities::new(ALIKE) }
    }
}

// === impl Verifier ===

impl Verifier {
    /// Verifies the presented token, or remembers that it was; `heard` is what came of asking its issuer.
    /// `doubt` is asked before the work of verifying is done.
    ///
    /// # Errors
    /// [`Refusal`] with what the token says of itself.
    pub(crate) fn verify<'d>(
        &self,
        presented: &Presented<'_>,
        heard: Option<&Heard>,
        now: Timestamp,
        doubt: impl FnOnce() -> Result<Doubt<'d>, Fault>,
    ) -> Result<Verified, Refusal> {
        match heard {
            Some(Heard::Good(known)) => return in_time(Arc::clone(known), now),
            Some(Heard::Refused(refused)) => {
                let fault = Fault::Token(Arc::clone(refused));
                // It was let in without its network being charged for it.
                if !fault.is_garbage() {
                    return Err(fault.into());
                }
                doubt()?;
                return Err(fault.into());
            }
            Some(Heard::Nothing) => return Err(Fault::Unavailable.into()),
            Some(Heard::Keys) | None => {}
        }
        let hash = OpaqueHash::of(presented.text());
        match self.remembered(&hash, now) {
            Some(Remembered::Good(known)) => {
                self.meters.hit.increment(1);
                in_time(known, now)
            }
            Some(Remembered::Refused(refused)) => {
                self.meters.hit.increment(1);
                Err(Fault::Token(refused).into())
            }
            None => {
                self.meters.miss.increment(1);
                let doubt = doubt()?;
                let text = presented.text();
                let verified = match self.foreign.of(text, &self.policy.issuer) {
                    None => self.verify_own(text, hash, now),
                    Some(issuer) => self.verify_foreign(text, hash, issuer, heard.is_none(), now),
                };
                if !verified.as_ref().is_err_and(|refusal| refusal.fault().is_garbage()) {
                    doubt.settle();
                }
                verified
            }
        }
    }

    /// What a presented token looks like.
    pub(crate) fn kind(&self, presented: &Presented<'_>) -> TokenKind {
        match presented.kind() {
            TokenKind::Jwt if self.foreign.asked_about(presented.text()).is_some() => {
                if is_jwt(presented.text()) { TokenKind::Jwt } else { TokenKind::Opaque }
            }
            kind => kind,
        }
    }

    /// What was found out of a token, if it still counts.
    pub(crate) fn remembered(&self, hash: &OpaqueHash, now: Timestamp) -> Option<Remembered> {
        let found = self.cache.find(hash, |under| match *under {
            Under::Keys { issuer: OURS, version } => version == self.keyring.version(),
            Under::Keys { issuer, version } => self.foreign.version(issuer) == Some(version),
            Under::Records { version } => self.records() == Some(version),
            Under::Until(until) => now < until,
        });
        // A rule may have come since that asks for more than was kept.
        let lacks = |known: &Known| self.keeps_members() && known.token.members().is_none();
        found.filter(|found| !matches!(found, Remembered::Good(known) if lacks(known)))
    }

    fn keeps_members(&self) -> bool {
        self.keeps_members.load(Ordering::Relaxed)
    }

    fn verify_own(
        &self,
        text: &str,
        hash: OpaqueHash,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        // Versions are read first: what is stored under an older one is only asked again.
        if let Some(tokens) = &self.personal
            && is_personal(text).map_err(Fault::from)?
        {
            let under = Under::Records { version: tokens.version() };
            return self.keep(self.check_personal(text, &**tokens, now), hash, under);
        }
        let under = Under::Keys { issuer: OURS, version: self.keyring.version() };
        self.keep(self.check(text, now), hash, under)
    }

    /// A token of another issuer: by its keys, or by asking it.
    fn verify_foreign(
        &self,
        text: &str,
        hash: OpaqueHash,
        issuer: &Arc<Foreign>,
        may_ask: bool,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let told = &issuer.told;
        let keyring = match &told.keyring {
            Some(keyring) if is_jwt(text) => keyring,
            _ if told.introspection.is_some() => {
                let (issuer, text) = (Arc::clone(issuer), Secret::new(text));
                return Err(Fault::Ask(Box::new(Question::Token { issuer, hash, text })).into());
            }
            _ => return Err(Fault::NoKeys.into()),
        };
        let under = Under::Keys { issuer: issuer.number, version: keyring.version() };
        let keys = keyring.current();
        if keys.is_empty() {
            return Err(Fault::NoKeys.into());
        }
        let checked = token::foreign::verify_foreign(text, &keys, &told.rules, now);
        if let Err(refused) = &checked
            && may_ask
            && refused.refused == Refused::Forged(Forgery::UnknownKey)
            && let Some(kid) = named_key(text)
        {
            match told.server.prospect(&kid) {
                Prospect::Absent => {}
                Prospect::Asks => {
                    let issuer = Arc::clone(issuer);
                    return Err(Fault::Ask(Box::new(Question::Key { issuer, kid })).into());
                }
                // Nobody is to be taken for a forger by it.
                Prospect::NotNow => return Err(Fault::Unavailable.into()),
            }
        }
        self.keep(checked.map_err(Fault::from), hash, under)
    }

    /// Remembers how a check ended.
    fn keep(
        &self,
        checked: Result<VerifiedAccessToken, Fault>,
        hash: OpaqueHash,
        under: Under,
    ) -> Result<Verified, Refusal> {
        match checked {
            Ok(token) => {
                let token = if self.keeps_members() { token } else { token.without_members() };
                let known = self.shared.known(token);
                self.cache.remember(hash, under, &known);
                Ok(Verified(known))
            }
            Err(Fault::Token(refused)) => {
                self.cache.remember_refused(hash, under, &refused);
                Err(Fault::Token(refused).into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// The version of all personal tokens; `None` where none are known.
    fn records(&self) -> Option<u64> {
        self.personal.as_ref().map(|tokens| tokens.version())
    }

    fn check_personal(
        &self,
        text: &str,
        tokens: &dyn PersonalTokens,
        now: Timestamp,
    ) -> Result<VerifiedAccessToken, Fault> {
        let verified = verify_personal(text, tokens, &self.policy, &self.ladder, now);
        verified.map_err(|error| match error {
            NotPersonal::Refused(refused) => refused.into(),
            NotPersonal::Unavailable(Unavailable) => Fault::Unavailable,
        })
    }

    fn check(&self, text: &str, now: Timestamp) -> Result<VerifiedAccessToken, Fault> {
        let kept = if reference::is_reference(text)? { Some(self.resolve(text)?) } else { None };
        let text = kept.as_ref().map_or(text, |jwt| jwt.expose());
        let opened = open(text, &self.decryption)?;
        let text = opened.as_ref().map_or(text, |inside| inside.as_str());
        Ok(verify_access_token(text, &self.keyring.current(), &self.policy, now)?)
    }

    /// What an opaque token stands for, which is checked as if it had come itself.
    fn resolve(&self, opaque: &str) -> Result<Secret, Fault> {
        let kept = match &self.references {
            Some(references) => {
                references.resolve(opaque).map_err(|Unavailable| Fault::Unavailable)?
            }
            None => None,
        };
        Ok(kept.ok_or_else(|| reference::unknown(opaque))?)
    }
}

/// A token that was verified before is asked for its time on every use.
fn in_time(known: Arc<Known>, now: Timestamp) -> Result<Verified, Refusal> {
    if known.token.expired(now) {
        return Err(Refusal::of_known(Fault::Expired, known));
    }
    Ok(Verified(known))
}

/// The key that a token names.
pub(crate) fn named_key(text: &str) -> Option<String> {
    Jws::parse(text).ok()?.header().kid.named().map(str::to_owned)
}

// === impl Verified ===

impl Verified {
    pub(crate) fn into_known(self) -> Arc<Known> {
        self.0
    }
}
