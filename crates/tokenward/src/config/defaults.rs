//! What an option is where nobody says.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use authority::register::policy::Policy;
use ipnet::IpNet;
use token::allowance::Allowance;
use token::term::{AddressField, Algorithm};

use super::detect::{BuiltInResponses, SparedNames};
use super::limit::PaceOrOff;
use super::personal::{BasicTokens, PersonalTokens};
use super::span::Span;
use super::upstream::Balance;
use super::{
    Admin, Auth, Authority, Config, Connections, Cors, Detect, Gateway, Geo, Identity,
    InternalToken, Log, LogFormat, Registration, Store,
};

impl Default for Config {
    fn default() -> Self {
        Self {
            store: Store::default(),
            authority: Authority::default(),
            gateway: None,
            admin: None,
            mail: super::Mail::default(),
            scopes: Vec::new(),
            resources: Vec::new(),
            authorization_details: Vec::new(),
            trusted_issuers: Vec::new(),
            software_publishers: Vec::new(),
            attesters: Vec::new(),
            signal_transmitters: Vec::new(),
            geo: Geo::default(),
            detect: Detect::default(),
            notify: super::Notify::default(),
            log: Log::default(),
            drain: drain(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { path: PathBuf::from("/var/lib/tokenward/tokenward.db"), master_key_file: None }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self {
            listen: loopback(8080),
            issuer: None,
            tls: None,
            behind_tls_proxy: false,
            trusted_proxies: Vec::new(),
            client_address_field: AddressField::default(),
            proxy_protocol: false,
            connections: Connections::default(),
            access_token_life: Span::minutes(10),
            id_token_life: Span::minutes(10),
            dpop_nonce: false,
            attestation_challenge: false,
            device_code_life: Span::minutes(10),
            refresh_idle_life: Span::days(30),
            refresh_absolute_life: Span::days(90),
            refresh_retry_window: Span::seconds(10),
            session_life: Span::hours(12),
            session_idle: Span::hours(4),
            mfa: super::Mfa::default(),
            passwords: super::Passwords::default(),
            sign_up: super::SignUpPart::default(),
            branding: super::Branding::default(),
            registration: Registration::default(),
            leak_report_keys: None,
            personal_tokens: PersonalTokens::default(),
            client_id_metadata_documents: true,
            profile: None,
            require_pkce: true,
            key_rotate_every: Span::days(90),
            key_overlap: Span::hours(24),
            signing_algs: vec![
                Algorithm::Es256,
                Algorithm::Ed25519,
                Algorithm::EdDsa,
                Algorithm::Rs256,
                Algorithm::Ps256,
            ],
            reach: Vec::new(),
            client_ca: None,
            client_certificate_field: None,
            password_threads: 2,
            puzzle_after: 20,
            identity_providers: Vec::new(),
        }
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            policy: Policy::Token,
            scopes: "openid profile email offline_access".to_owned(),
            grant_types: None,
            redirect_hosts: Vec::new(),
            private_use_schemes: true,
        }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            listen: loopback(8081),
            resource: None,
            tls: None,
            behind_tls_proxy: false,
            trusted_proxies: Vec::new(),
            client_address_field: AddressField::default(),
            proxy_protocol: false,
            connections: Connections::default(),
            shed_after_ms: 0,
            max_fields: 100,
            max_field_bytes: 32 * 1024,
            max_body: 16 * 1024 * 1024,
            body_timeout: Span::seconds(30),
            upstreams: BTreeMap::new(),
            routes: Vec::new(),
            apis: Vec::new(),
            limits: Vec::new(),
            doubtful_tokens: PaceOrOff(Some(Allowance {
                amount: 1000,
                window: Duration::from_secs(1),
            })),
            limit_entries: 1_000_000,
            issuers: Vec::new(),
            reach: Vec::new(),
            browser_apps: Vec::new(),
            leeway: Span::seconds(5),
            decryption_keys: Vec::new(),
            dpop_nonce: false,
            client_certificate_field: None,
            cache_entries: 100_000,
            forward_token: false,
            identity: Identity::default(),
            internal_token: InternalToken::default(),
            basic_tokens: BasicTokens::default(),
            api_key_header: None,
            challenge_scopes: false,
            inspect_body_limit: 1024 * 1024,
            cors: None,
            security_headers: true,
            hide_software: false,
            explain_refused: 10_000,
            explain_passed: 2_000,
            request_id_field: "X-Request-Id".to_owned(),
            upstream_timeout: Span::seconds(60),
            threads: 0,
            policy: None,
            auth: None,
        }
    }
}

impl Default for InternalToken {
    fn default() -> Self {
        Self { life: Span::minutes(1), field: None, key_file: None }
    }
}

impl Default for Cors {
    fn default() -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            origins: Vec::new(),
            methods: own(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
            headers: own(&["Authorization", "Content-Type", "DPoP"]),
            expose: Vec::new(),
            credentials: false,
            max_age: Span::minutes(10),
        }
    }
}

impl Default for Auth {
    fn default() -> Self {
        let loopback_networks = [
            IpNet::from(IpAddr::from(Ipv4Addr::LOCALHOST)),
            IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
        ];
        Self {
            listen: loopback(8083),
            trusted_callers: loopback_networks.to_vec(),
            client_certificate_field: None,
            request_ids: false,
            tls: None,
            behind_tls_proxy: false,
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: loopback(8082), tls: None, behind_tls_proxy: false }
    }
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            queue: 65_536,
            responses: true,
            responses_per_minute: 60,
            built_in_responses: BuiltInResponses::default(),
            rows: Vec::new(),
            spared: SparedNames::default(),
            record: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

pub(super) fn drain() -> Span {
    Span::seconds(20)
}

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// What a request takes of the limits where its route does not say.
pub(super) const fn cost() -> u32 {
    1
}

/// Which server is next.
pub(super) const fn balance() -> Balance {
    Balance::LeastRequests
}

/// How long a connection to a server may take.
pub(super) const fn connect_timeout() -> Span {
    Span::seconds(5)
}

/// How many failures in a row take a server out.
pub(super) const fn fail_after() -> u32 {
    3
}

/// To how many other servers a request goes.
pub(super) const fn retries() -> u32 {
    1
}

/// The pause between two questions to a server.
pub(super) const fn health_every() -> Span {
    Span::seconds(5)
}

/// How long its answer may take.
pub(super) const fn health_timeout() -> Span {
    Span::seconds(2)
}

/// How many good answers bring a server back.
pub(super) const fn healthy_after() -> u32 {
    2
}

/// How many bad ones take it out.
pub(super) const fn unhealthy_after() -> u32 {
    3
}
