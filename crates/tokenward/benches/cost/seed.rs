//! What the measured program knows before it starts: a client, a person, and what they agreed on.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authority::login::password::policy::Rules;
use authority::login::password::{Asker, Passwords};
use store::{Client, ClientOptions, Code, Grant, MasterKey, NewRefresh, Store, User};
use token::opaque::{Family, OpaqueHash};
use token::random::OsRandom;
use token::refresh::{self, RefreshMint};
use token::scope::ScopeSet;
use token::secret::Secret;
use token::term::{Algorithm, ClientAuthMethod, GrantType};
use token::time::Timestamp;

/// The client's name, and the person's.
const CLIENT: &str = "load";
pub(crate) const PERSON: &str = "alice";
pub(crate) const PASSWORD: &str = "correct horse battery";
const REDIRECT: &str = "https://app.example/callback";
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// What the load needs to know of it.
pub(crate) struct Seed {
    /// `client_id` and `client_secret`.
    pub(crate) client: (String, String),
    /// The refresh token of each grant.
    pub(crate) refresh: Vec<String>,
}

/// Fills the database in `folder`, before anybody serves it: so many grants for this resource.
pub(crate) fn seed(folder: &Path, resource: &str, grants: usize) -> Seed {
    let random = OsRandom::new();
    let master = MasterKey::load_or_create(&folder.join("master.key"), &random).expect("key");
    let path = folder.join("tokenward.db");
    let settings = store::Settings { path, longest_token_life: LIFE };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    runtime.block_on(async {
        let store = Store::open(settings, master, now()).expect("store");
        let mint = RefreshMint::new(&store.derive_key(refresh::KEY_LABEL));
        let secret = Family::ClientSecret.generate(&random).expose().to_owned();
        store.create_client(&client(&secret)).await.expect("client");
        let asker = Asker { ip: None, account: PERSON, is_known: true };
        let passwords = Passwords::new(1, Rules::default());
        let hash = passwords.hash(asker, Secret::new(PASSWORD), Vec::new()).await;
        store.create_user(&user(hash.expect("hash"))).await.expect("user");
        let mut tokens = Vec::with_capacity(grants);
        for number in 0..grants {
            let code = code(number, resource);
            store.save_code(&code).await.expect("code");
            let token = mint.first(&random);
            let first = NewRefresh {
                name: mint.read(token.expose()),
                expires_at: now().plus(LIFE),
                scopes: code.grant.scopes.clone(),
            };
            store.redeem_code(&code.hash, Some(first), None, now()).await.expect("grant");
            tokens.push(token.expose().to_owned());
        }
        store.close().await;
        Seed { client: (CLIENT.to_owned(), secret), refresh: tokens }
    })
}

fn client(secret: &str) -> Client {
    Client {
        id: CLIENT.into(),
        name: "Load".to_owned(),
        secret_hash: Some(OpaqueHash::of(secret)),
        auth_method: ClientAuthMethod::ClientSecretBasic,
        grant_types: vec![
            GrantType::AuthorizationCode,
            GrantType::ClientCredentials,
            GrantType::RefreshToken,
        ],
        redirect_uris: vec![REDIRECT.to_owned()],
        scopes: scopes("openid profile email offline_access orders:read"),
        default_scopes: scopes("orders:read"),
        created_by: "benchmark".to_owned(),
        created_at: now(),
        disabled: false,
        // As the peer's client: both sign what a refresh gives with ES256, twice.
        options: ClientOptions {
            id_token_signed_response_alg: Some(Algorithm::Es256),
            ..ClientOptions::default()
        },
        registration_token: None,
        metadata: "{}".to_owned(),
    }
}

fn user(password_hash: Secret) -> User {
    User {
        id: PERSON.into(),
        username: PERSON.to_owned(),
        password_hash: Some(password_hash),
        name: Some("Alice Liddell".to_owned()),
        email: Some("alice@example.com".to_owned()),
        email_verified: true,
        disabled: false,
        require_mfa: false,
        created_at: now(),
        claims: serde_json::Map::new(),
    }
}

fn code(number: usize, resource: &str) -> Code {
    let grant = Grant {
        id: format!("grant-{number}").into(),
        client: CLIENT.into(),
        subject: PERSON.into(),
        session: None,
        scopes: scopes("openid profile email offline_access orders:read"),
        audiences: vec![resource.to_owned()],
        auth_time: now(),
        amr: vec!["pwd".to_owned()],
        details: Vec::new(),
        claims: Default::default(),
        jkt: None,
        created_at: now(),
        expires_at: now().plus(LIFE),
    };
    Code {
        hash: OpaqueHash::of(&format!("code {number}")),
        grant,
        redirect_uri: REDIRECT.to_owned(),
        redirect_uri_sent: true,
        challenge: None,
        nonce: None,
        expires_at: now().plus(LIFE),
    }
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("scopes")
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no clock of the product")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
    Timestamp::from_millis(since.as_millis().try_into().expect("millis"))
}
