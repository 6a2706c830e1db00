//! Attacks on clients, codes and consent, with what is ordinary there.

use token::event::{Event, EventKind, GrantCause};
use token::scope::ScopeSet;

use crate::actor::{Actor, DAY, HOUR, get, rare_ip, stranger};
use crate::attack::{Principal, Scenario, paced, scenario, thief};
use crate::population::{ATTACKS_FROM, DAYS, World};

/// Attacks on clients, codes and consent.
pub const SCENARIOS: &[Scenario] = &[
    scenario("assertion_replay", "a signed assertion that was read on its way", replayed_assertion),
    scenario("leak_report", "a token that somebody found in public", leaked),
    scenario("client_secret_guessing", "one client's secret, 60 tries", secret),
    scenario("client_secret_sharing", "a client's secret in a second place", second_place),
    scenario("mfa_fatigue", "a known password, and codes until one fits", codes),
    scenario("copied_passkey", "a passkey that was copied", copied),
    scenario("device_code_guessing", "40 user codes", user_codes),
    scenario("device_phishing", "codes sent to eight people", sent_codes),
    scenario("consent_phishing", "a young client that 20 people agree to", young_client),
    scenario("redirect_probing", "twelve hosts to be sent back to", redirects),
    scenario("pkce_failures", "ten stolen codes", stolen_codes),
    scenario("registration_surge", "60 clients in half an hour", registrations),
    scenario("scope_creep", "a partner asks for everything", creep),
    scenario("token_guessing", "150 tokens that are nobody's", tokens),
];

fn somebody(world: &mut World) -> (Actor, Principal) {
    let ip = rare_ip(&mut world.random);
    (stranger(ip, "python-requests/2"), Principal::Ip(ip))
}

/// A confidential client that authenticates every few hours, from the beginning to the end.
pub(crate) fn client(world: &mut World) -> (Actor, Principal, String) {
    let ip = rare_ip(&mut world.random);
    let name = format!("backend-{}", world.random.below(1_000_000));
    let home = Actor { client: Some(name.clone()), ..stranger(ip, "Backend/3 Java/21") };
    let mut at = world.random.unit() * HOUR;
    while at < DAYS as f64 * DAY {
        world.push(authenticates(&home, at, "ok"));
        world.push(granted(&home, at + 0.2, "orders:read stock:write"));
        at += HOUR * (2.0 + world.random.unit());
    }
    let other = rare_ip(&mut world.random);
    (home, Principal::Client(name.clone(), other), name)
}

/// That client's name in other hands.
pub(crate) fn taken(name: &str, who: &Principal) -> Actor {
    Actor { client: Some(name.to_owned()), ..stranger(who.ip(), "python-requests/2") }
}

pub(crate) fn authenticates(actor: &Actor, at: f64, result: &str) -> Event {
    let (method, result) = ("client_secret_basic".to_owned(), result.to_owned());
    actor.does(at, EventKind::ClientAuth { method, result })
}

pub(crate) fn granted(actor: &Actor, at: f64, scopes: &str) -> Event {
    let kind = EventKind::Grant {
        grant_type: "client_credentials".to_owned(),
        scopes: ScopeSet::parse(scopes).unwrap_or_default(),
        result: "ok".to_owned(),
        cause: None,
    };
    actor.does(at, kind)
}

fn replayed_assertion(world: &mut World, start: f64) -> Principal {
    let (_, who, name) = client(world);
    let kind = EventKind::ClientAuth {
        method: "private_key_jwt".to_owned(),
        result: "replayed_assertion".to_owned(),
    };
    world.push(taken(&name, &who).does(start, kind));
    who
}

fn leaked(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let (source, url_hash) = ("github:content".to_owned(), "a1b2c3".to_owned());
    let mut event = actor.does(start, EventKind::LeakReport { source, url_hash });
    event.ip = None;
    world.push(event);
    who
}

fn secret(world: &mut World, start: f64) -> Principal {
    let (_, who, name) = client(world);
    let actor = taken(&name, &who);
    let mut at = start;
    for _ in 0..60 {
        world.push(authenticates(&actor, at, "bad_secret"));
        at += 5.0 + world.random.wait(10.0);
    }
    Principal::Ip(who.ip())
}

fn second_place(world: &mut World, start: f64) -> Principal {
    let (_, who, name) = client(world);
    let actor = taken(&name, &who);
    let mut at = start;
    for _ in 0..8 {
        world.push(authenticates(&actor, at, "ok"));
        at += HOUR * (2.0 + world.random.unit() * 2.0);
    }
    who
}

fn login(actor: &Actor, at: f64, factor: &str, result: &str, complete: bool) -> Event {
    let name = actor.subject.clone().unwrap_or_default();
    let mut event = actor.login(at, &name, result);
    if let EventKind::Login { factor: held, complete: done, .. } = &mut event.kind {
        factor.clone_into(held);
        *done = complete;
    }
    event.who.subject = Some(name.as_str().into());
    event
}

fn codes(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let mut at = start;
    for _ in 0..14 {
        world.push(login(&actor, at, "password", "ok", false));
        world.push(login(&actor, at + 8.0, "totp", "mfa_failed", false));
        at += 40.0 + world.random.wait(30.0);
    }
    who
}

fn copied(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    world.push(login(&actor, start, "passkey", "copied_passkey", false));
    who
}

fn device(actor: &Actor, at: f64, step: &str, code: Option<String>) -> Event {
    actor.does(at, EventKind::Device { step: step.to_owned(), code })
}

fn user_codes(world: &mut World, start: f64) -> Principal {
    let (actor, who) = somebody(world);
    let mut at = start;
    for _ in 0..40 {
        world.push(device(&actor, at, "bad_user_code", None));
        at += 5.0 + world.random.wait(20.0);
    }
    who
}

fn sent_codes(world: &mut World, start: f64) -> Principal {
    let (actor, who) = somebody(world);
    let mut at = start;
    for n in 0..8 {
        let code = format!("code-{}-{n}", who.ip());
        world.push(device(&actor, at, "started", Some(code.clone())));
        let (victim, _) = thief(world);
        let read = at + 60.0 + world.random.wait(90.0);
        world.push(device(&victim, read, "approved", Some(code)));
        at += 600.0 + world.random.wait(900.0);
    }
    who
}

fn young_client(world: &mut World, start: f64) -> Principal {
    let name = format!("gift-cards-{}", world.random.below(1_000_000));
    let ip = rare_ip(&mut world.random);
    let mut at = start;
    for _ in 0..20 {
        let person = world.random.below(world.people.len() as u64) as usize;
        let victim = Actor { client: Some(name.clone()), ..world.people[person].clone() };
        let kind = EventKind::Consent {
            scopes: ScopeSet::parse("orders:read orders:write").unwrap_or_default(),
            result: "granted".to_owned(),
            client_age_s: Some(7200 + (at - start) as u64),
            client_verified: Some(false),
        };
        world.push(victim.does(at, kind));
        at += 300.0 + world.random.wait(600.0);
    }
    Principal::Client(name, ip)
}

fn redirects(world: &mut World, start: f64) -> Principal {
    let (actor, who) = somebody(world);
    let mut at = start;
    for n in 0..12 {
        let kind = EventKind::Authorize {
            scopes: ScopeSet::default(),
            result: "bad_redirect_uri".to_owned(),
            redirect_host: Some(format!("shop-{n}.evil.example")),
        };
        let actor = Actor { client: Some("app".to_owned()), ..actor.clone() };
        world.push(actor.does(at, kind));
        at += 4.0 + world.random.wait(20.0);
    }
    who
}

fn stolen_codes(world: &mut World, start: f64) -> Principal {
    let grant = |actor: &Actor, at: f64, cause: Option<GrantCause>| {
        let kind = EventKind::Grant {
            grant_type: "authorization_code".to_owned(),
            scopes: ScopeSet::default(),
            result: if cause.is_some() { "invalid_grant" } else { "ok" }.to_owned(),
            cause,
        };
        actor.does(at, kind)
    };
    let name = format!("app-{}", world.random.below(1_000_000));
    for n in 0..40 {
        let person = world.random.below(world.people.len() as u64) as usize;
        let owner = Actor { client: Some(name.clone()), ..world.people[person].clone() };
        world.push(grant(&owner, start - 1800.0 + f64::from(n) * 120.0, None));
    }
    let (actor, who) = somebody(world);
    let actor = Actor { client: Some(name), ..actor };
    let mut at = start;
    for _ in 0..10 {
        world.push(grant(&actor, at, Some(GrantCause::PkceFailed)));
        at += 30.0 + world.random.wait(60.0);
    }
    who
}

fn registrations(world: &mut World, start: f64) -> Principal {
    let (actor, who) = somebody(world);
    for n in 0..60 {
        let kind = EventKind::Register {
            result: "ok".to_owned(),
            redirect_hosts: vec![format!("landing-{n}.evil.example")],
        };
        let at = start + f64::from(n) * 28.0 + world.random.unit() * 5.0;
        world.push(actor.does(at, kind));
    }
    who
}

fn creep(world: &mut World, start: f64) -> Principal {
    let (home, who, _) = client(world);
    let everything = "orders:read stock:write orders:write people:read people:admin refunds:write";
    world.push(granted(&home, start.max(ATTACKS_FROM), everything));
    let Principal::Client(name, _) = who else { return who };
    Principal::Client(name, home.ip)
}

fn tokens(world: &mut World, start: f64) -> Principal {
    let (actor, who) = somebody(world);
    let actor = Actor { kind: token::event::TokenKind::Opaque, ..actor };
    paced(world, &actor, start, 150, 4.0, |_, _| get("/me").refused(401, "unknown_token"));
    who
}
