//! Rows of the restriction log.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use rusqlite::{Connection, params};
use token::id::{ClientId, GrantId, KeyId, SessionId, SubjectId, TokenId};
use token::restriction::{Restriction, Selector};
use token::time::Timestamp;

use super::{Filter, RestrictionRow};
use crate::error::StoreError;
use crate::sql::{self, Columns};

pub(super) const COLUMNS: &str = "r.seq, r.selector_kind, r.selector_value, r.effect, r.from_at, \
                       r.until_at, r.reason, r.actor, r.written_at";

/// Adds one.
pub(super) fn insert(
    db: &Connection,
    new: &Restriction,
    forget_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO restrictions (seq, selector_kind, selector_value, effect, from_at, \
               until_at, reason, actor, written_at, forget_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = params![
        sql::position(new.seq),
        new.selector.kind(),
        value(&new.selector),
        new.effect.to_string(),
        new.from.as_millis(),
        new.until.map(Timestamp::as_millis),
        new.reason,
        new.actor,
        new.at.as_millis(),
        forget_at.map(Timestamp::as_millis),
    ];
    sql::execute(db, sql, values).map(drop)
}

/// The one at this position, unless it is a lift.
pub(super) fn at(db: &Connection, seq: u64) -> Result<Option<RestrictionRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, l.written_at AS lifted_at, l.actor AS lifted_by FROM restrictions r \
         LEFT JOIN restrictions l ON l.lifts = r.seq WHERE r.seq = ?1 AND r.lifts IS NULL"
    );
    sql::one(db, &sql, [sql::position(seq)], with_end)
}

/// What is in force on exactly this selector.
pub(super) fn on_selector(
    db: &Connection,
    selector: &Selector,
    now: Timestamp,
) -> Result<Vec<Restriction>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM restrictions r WHERE r.selector_kind = ?1 \
         AND r.selector_value = ?2 AND (r.forget_at IS NULL OR r.forget_at > ?3) \
         AND NOT EXISTS (SELECT 1 FROM restrictions l WHERE l.lifts = r.seq) ORDER BY r.seq"
    );
    let values = params![selector.kind(), value(selector), now.as_millis()];
    sql::all(db, &sql, values, from_columns)
}

/// Everything that is in force, in order.
pub(super) fn live(db: &Connection, now: Timestamp) -> Result<Vec<Restriction>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM restrictions r WHERE r.lifts IS NULL \
         AND (r.forget_at IS NULL OR r.forget_at > ?1) \
         AND NOT EXISTS (SELECT 1 FROM restrictions l WHERE l.lifts = r.seq) ORDER BY r.seq"
    );
    sql::all(db, &sql, [now.as_millis()], from_columns)
}

/// A page of the log.
pub(super) fn list(db: &Connection, filter: &Filter) -> Result<Vec<RestrictionRow>, StoreError> {
    let in_force = match filter.in_force_at {
        Some(_) => "AND l.seq IS NULL AND (r.forget_at IS NULL OR r.forget_at > ?3)",
        // The parameter must be somewhere.
        None => "AND ?3 IS NULL",
    };
    let sql = format!(
        "SELECT {COLUMNS}, l.written_at AS lifted_at, l.actor AS lifted_by FROM restrictions r \
         LEFT JOIN restrictions l ON l.lifts = r.seq WHERE r.lifts IS NULL AND r.seq < ?1 \
         {in_force} ORDER BY r.seq DESC LIMIT ?2"
    );
    let before = filter.before.map_or(i64::MAX, sql::position);
    let at = filter.in_force_at.map(Timestamp::as_millis);
    sql::all(db, &sql, params![before, sql::page(filter.limit), at], with_end)
}

/// When the last of the recorded tokens ends that live longer than is configured and that a
/// revocation of `selector` can fit.
pub(super) fn longest_lived(
    db: &Connection,
    selector: &Selector,
    last_issue: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let fits = match selector {
        Selector::Client(_) => "client = ?1",
        Selector::Grant(_) => "grant_id = ?1",
        Selector::Issuer => "?1 = ''",
        Selector::Key(_) => "key_id = ?1",
        Selector::Network(_) => return Ok(None),
        Selector::Session(_) => "session = ?1",
        Selector::Subject(_) => "subject = ?1",
        Selector::Token(_) => "token = ?1",
    };
    let sql = format!(
        "SELECT MAX(expires_at) AS latest FROM issued_tokens \
         WHERE long_lived = 1 AND issued_at <= ?2 AND {fits}"
    );
    let values = params![value(selector), last_issue.as_millis()];
    Ok(sql::one(db, &sql, values, |row| row.maybe_time("latest"))?.flatten())
}

/// Without host bits, and IPv4 as IPv4: as addresses are looked up.
pub(super) fn canonical(net: IpNet) -> IpNet {
    let net = net.trunc();
    if let (IpNet::V6(v6), IpAddr::V4(v4)) = (net, net.addr().to_canonical())
        && let Some(prefix) = v6.prefix_len().checked_sub(96)
        && let Ok(v4) = Ipv4Net::new(v4, prefix)
    {
        return IpNet::V4(v4);
    }
    net
}

fn value(selector: &Selector) -> String {
    match selector {
        Selector::Client(id) => id.to_string(),
        Selector::Grant(id) => id.to_string(),
        Selector::Issuer => String::new(),
        Selector::Key(id) => id.to_string(),
        Selector::Network(net) => net.to_string(),
        Selector::Session(id) => id.to_string(),
        Selector::Subject(id) => id.to_string(),
        Selector::Token(id) => id.to_string(),
    }
}

fn selector(kind: &str, value: String) -> Option<Selector> {
    Some(match kind {
        "client" => Selector::Client(ClientId::from(value)),
        "grant" => Selector::Grant(GrantId::from(value)),
        "issuer" => Selector::Issuer,
        "key" => Selector::Key(KeyId::from(value)),
        "network" => Selector::Network(value.parse().ok()?),
        "session" => Selector::Session(SessionId::from(value)),
        "subject" => Selector::Subject(SubjectId::from(value)),
        "token" => Selector::Token(TokenId::from(value)),
        _ => return None,
    })
}

pub(super) fn from_columns(row: &Columns<'_, '_>) -> Result<Restriction, StoreError> {
    let selector = selector(&row.text("selector_kind")?, row.text("selector_value")?);
    Ok(Restriction {
        seq: row.seq("seq")?,
        selector: selector.ok_or(StoreError::Corrupt { what: "selector" })?,
        effect: row.word("effect")?,
        from: row.time("from_at")?,
        until: row.maybe_time("until_at")?,
        reason: row.text("reason")?,
        actor: row.text("actor")?,
        at: row.time("written_at")?,
    })
}

fn with_end(row: &Columns<'_, '_>) -> Result<RestrictionRow, StoreError> {
    Ok(RestrictionRow {
        restriction: Arc::new(from_columns(row)?),
        lifted_at: row.maybe_time("lifted_at")?,
        lifted_by: row.maybe_text("lifted_by")?,
    })
}
