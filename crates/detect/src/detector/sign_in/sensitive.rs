//! Scopes that are worth stealing, by the words in their names.

use token::scope::ScopeSet;

const WORDS: [&str; 7] = ["admin", "delete", "manage", "owner", "payment", "root", "transfer"];
/// Who somebody is (OpenID Connect Core §5.4).
const IDENTITY: [&str; 5] = ["address", "email", "openid", "phone", "profile"];

/// What takes an account over, or its money.
const CONTROLS: [&str; 33] = [
    "-keys",
    "/keys",
    "/shares",
    "_keys",
    "admin",
    "bank",
    "billing",
    "/cards",
    "benefic",
    "credential",
    "email",
    "iban",
    "impersonat",
    "invit",
    "member",
    "mfa",
    "owner",
    "passkey",
    "password",
    "payee",
    "payment",
    "payout",
    "permission",
    "phone",
    "recovery",
    "role",
    "secret",
    "security",
    "token",
    "totp",
    "transfer",
    "webhook",
    "withdraw",
];

/// Whether what is behind the path decides who has an account or its money.
pub(super) fn controls(path: &str) -> bool {
    CONTROLS.iter().any(|word| path.contains(word))
}

/// Whether what is behind the path is about a factor, which whoever has lost one sets up again.
pub(super) fn is_factor(path: &str) -> bool {
    ["credential", "mfa", "passkey", "password", "recovery", "security", "totp"]
        .iter()
        .any(|word| path.contains(word))
}

/// The first scope, in their order, that is administrative or moves money.
pub(super) fn first(scopes: &ScopeSet) -> Option<String> {
    scopes.iter().find(|scope| is_sensitive(scope)).map(str::to_owned)
}

/// Whether the scope is administrative or moves money.
pub(super) fn is_sensitive(scope: &str) -> bool {
    WORDS.iter().any(|word| scope.contains(word))
}

/// How many of the scopes say more than who somebody is; to read that is no more (`profile:read`).
pub(super) fn reach(scopes: &ScopeSet) -> usize {
    let is_identity = |scope: &str| {
        let mut words = scope.split([':', '.', '/']);
        words.all(|word| word == "read" || IDENTITY.contains(&word))
    };
    scopes.iter().filter(|scope| !is_identity(scope)).count()
}
