//! Attacks on signing in and on tokens, with their labels.

use token::event::{Event, EventKind, GrantCause};
use token::scope::ScopeSet;

use crate::actor::{Actor, HOUR, get, rare_ip, stranger};
use crate::attack::{Principal, Scenario, paced, scenario, thief};
use crate::flow;
use crate::population::{PEOPLE, World};

/// Attacks on signing in and on tokens.
pub const SCENARIOS: &[Scenario] = &[
    scenario("forged_token", "four tokens without signature", forged),
    scenario("honeytoken", "one use of bait", bait),
    scenario("refresh_reuse", "a stolen refresh token", refresh),
    scenario("code_replay", "a stolen code", code),
    scenario("dpop_replay", "a bound token without its key", unbound),
    scenario("revoked_token_hammering", "a dead token, again and again", dead),
    scenario("disabled_account_token", "a disabled person's token", disabled),
    scenario("credential_stuffing", "80 names, fast", stuffing),
    scenario("credential_stuffing", "40 names, one in five minutes", slow_stuffing),
    scenario("password_spraying", "60 people, one in ten minutes", spraying),
    scenario("password_guessing", "one person's password, 60 tries", guessing),
    scenario("token_sharing", "owner and thief in turn", sharing),
];

/// Whether what the detector says is proof.
pub fn is_certain(detector: &str) -> bool {
    let certain = SCENARIOS.iter().take(7).chain(flow::SCENARIOS.iter().take(2));
    certain.into_iter().any(|scenario| scenario.detector == detector)
}

fn nobody(world: &mut World) -> (Actor, Principal) {
    let ip = rare_ip(&mut world.random);
    (stranger(ip, "python-requests/2"), Principal::Ip(ip))
}

fn forged(world: &mut World, start: f64) -> Principal {
    let (actor, who) = nobody(world);
    paced(world, &actor, start, 4, 5.0, |_, _| get("/orders").refused(401, "forged:alg_none"));
    who
}

fn bait(world: &mut World, start: f64) -> Principal {
    let (actor, who) = nobody(world);
    world.push(actor.call(start, get("/orders").refused(401, "honeytoken")));
    who
}

fn grant(actor: &Actor, at: f64, kind: &str, cause: Option<GrantCause>) -> Event {
    let result = if cause.is_some() { "invalid_grant" } else { "ok" };
    let kind = EventKind::Grant {
        grant_type: kind.to_owned(),
        scopes: ScopeSet::default(),
        result: result.to_owned(),
        cause,
    };
    let mut event = actor.does(at, kind);
    event.who.grant = Some(format!("grant-of-{}", actor.token).as_str().into());
    event
}

fn refresh(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    world.push(grant(&actor, start, "refresh_token", Some(GrantCause::RefreshReused)));
    who
}

fn code(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    world.push(grant(&actor, start, "authorization_code", Some(GrantCause::CodeReplayed)));
    who
}

fn unbound(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let home = actor.at(rare_ip(&mut world.random));
    world.push(home.call(start, get("/orders")));
    world.push(actor.call(start + 200.0, get("/orders").refused(401, "dpop:replayed")));
    who
}

fn dead(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    paced(world, &actor, start, 30, 3.0, |_, _| get("/orders").refused(401, "revoked"));
    who
}

fn disabled(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    world.push(actor.call(start, get("/orders").refused(401, "disabled")));
    who
}

fn names(world: &mut World, start: f64, count: u64, pause: f64, known: f64) -> Principal {
    let (actor, who) = nobody(world);
    let mut at = start;
    for n in 0..count {
        let (name, result) = if world.random.is(known) {
            (format!("person-{}", world.random.below(PEOPLE as u64)), "bad_password")
        } else {
            (format!("leak-{at}-{n}"), "unknown_user")
        };
        world.push(actor.login(at, &name, result));
        at += pause * (0.5 + world.random.unit());
    }
    who
}

fn stuffing(world: &mut World, start: f64) -> Principal {
    names(world, start, 80, 3.0, 0.2)
}

fn slow_stuffing(world: &mut World, start: f64) -> Principal {
    names(world, start, 40, 300.0, 0.3)
}

fn spraying(world: &mut World, start: f64) -> Principal {
    names(world, start, 60, 600.0, 1.0)
}

fn guessing(world: &mut World, start: f64) -> Principal {
    let (actor, who) = thief(world);
    let name = actor.subject.clone().unwrap_or_default();
    for n in 0..60 {
        let at = start + f64::from(n) * (20.0 + world.random.unit() * 20.0);
        world.push(actor.login(at, &name, "bad_password"));
    }
    who
}

fn sharing(world: &mut World, start: f64) -> Principal {
    let (owner, who) = thief(world);
    let owner = owner.at(rare_ip(&mut world.random));
    let mut other = owner.at(rare_ip(&mut world.random));
    other.ua = "curl/8.1".to_owned();
    for n in 0..30 {
        let at = start + f64::from(n) * 40.0;
        world.push(owner.call(at, get("/orders")));
        world.push(other.call(at + 15.0, get("/messages")));
    }
    world.push(owner.call(start + HOUR, get("/orders")));
    who
}
