//! Limits of the gateway: `[[gateway.limit]]`.

use std::fmt;
use std::str::FromStr;

use gateway::limit::{Amount, Dimension, LimitRule};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use token::allowance::{Allowance, NotAllowance};

/// How much a token, a client, a person, a network or a route may ask for. Who goes beyond it gets 429
/// with `Retry-After`; answers say what is left in `RateLimit` and `RateLimit-Policy`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Its name, as answers tell it.
    pub(crate) name: String,
    /// What is counted apart: `token`, `client`, `subject`, `network`, `route`; several count each
    /// combination. Empty: all requests together. What counts by a token passes over public routes.
    #[serde(default)]
    pub(crate) by: Vec<By>,
    /// A pace: `100/s`, `600/m`, `50/10s`. Exactly one of `rate`, `quota` and `concurrent` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Pace>,
    /// With `rate`: how many may come at once. Absent: as many as the rate names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<u32>,
    /// So many in any such time: `10000/d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quota: Option<Pace>,
    /// So many at a time, each until its answer has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concurrent: Option<u32>,
    /// Other amounts for tokens with a scope; the first class that fits counts.
    #[serde(default, rename = "class", skip_serializing_if = "Vec::is_empty")]
    pub(crate) classes: Vec<Class>,
    /// Routes that it is for, by their `path`; empty: all.
    #[serde(default)]
    pub(crate) routes: Vec<String>,
}

/// Another amount for some tokens.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Class {
    /// A scope that these tokens have.
    pub(crate) scope: String,
    /// A pace: `100/s`, `600/m`, `50/10s`. Exactly one of `rate`, `quota` and `concurrent` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Pace>,
    /// With `rate`: how many may come at once. Absent: as many as the rate names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<u32>,
    /// So many in any such time: `10000/d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quota: Option<Pace>,
    /// So many at a time, each until its answer has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concurrent: Option<u32>,
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// The client that the token was issued to.
    Client,
    /// The client's address; of IPv6 its /64.
    Network,
    /// The route.
    Route,
    /// Whom the token speaks for.
    Subject,
    /// The token.
    Token,
}

/// An allowance as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub(crate) struct Pace(pub(crate) Allowance);

/// An allowance, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub(crate) struct PaceOrOff(pub(crate) Option<Allowance>);

// === impl Limit ===

impl Limit {
    /// What the gateway is told.
    ///
    /// # Errors
    /// The member that is wrong, and how to mend it.
    pub(crate) fn rule(&self) -> Result<LimitRule, (String, String)> {
        let named = |member: String| move |words: &str| (member, words.to_owned());
        let mut classes = Vec::with_capacity(self.classes.len());
        for (position, class) in self.classes.iter().enumerate() {
            if !token::scope::is_scope_token(&class.scope) {
                let words = format!("`{}` is not one scope", class.scope);
                return Err((format!("class[{position}].scope"), words));
            }
            let amount = amount(class.rate, class.burst, class.quota, class.concurrent);
            let amount = amount.map_err(named(format!("class[{position}].rate")))?;
            classes.push((class.scope.clone(), amount));
        }
        Ok(LimitRule {
            name: self.name.clone(),
            by: self.by.iter().map(|by| by.dimension()).collect(),
            amount: amount(self.rate, self.burst, self.quota, self.concurrent)
                .map_err(named("rate".to_owned()))?,
            classes,
            routes: self.routes.clone(),
        })
    }
}

fn amount(
    rate: Option<Pace>,
    burst: Option<u32>,
    quota: Option<Pace>,
    concurrent: Option<u32>,
) -> Result<Amount, &'static str> {
    match (rate, quota, concurrent, burst) {
        (Some(Pace(pace)), None, None, burst) => Ok(Amount::Rate { pace, burst }),
        (None, Some(Pace(quota)), None, None) => Ok(Amount::Quota(quota)),
        (None, None, Some(most), None) => Ok(Amount::Concurrent(most)),
        (None, _, _, Some(_)) => Err("`burst` goes with `rate` alone"),
        _ => Err("say exactly one of `rate`, `quota` and `concurrent`"),
    }
}

// === impl By ===

impl By {
    const fn dimension(self) -> Dimension {
        match self {
            Self::Client => Dimension::Client,
            Self::Network => Dimension::Network,
            Self::Route => Dimension::Route,
            Self::Subject => Dimension::Subject,
            Self::Token => Dimension::Token,
        }
    }
}

// === impl Pace ===

impl Pace {
    /// So many in an hour.
    pub(crate) const fn an_hour(amount: u32) -> Self {
        Self(Allowance { amount, window: std::time::Duration::from_secs(3600) })
    }
}

impl FromStr for Pace {
    type Err = NotAllowance;

    fn from_str(text: &str) -> Result<Self, NotAllowance> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PaceOrOff {
    type Err = NotAllowance;

    fn from_str(text: &str) -> Result<Self, NotAllowance> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|allowance| Self(Some(allowance)))
    }
}

impl fmt::Display for PaceOrOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(allowance) => allowance.fmt(f),
            None => f.write_str("off"),
        }
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Pace, PaceOrOff);
