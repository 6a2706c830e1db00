//! Which findings `tokenward finding list` and `tokenward incident list` show.

use clap::Args;

/// Each option leaves only those that meet it. Incidents are shown that have a finding that meets all.
#[derive(Debug, Args)]
pub(super) struct Sought {
    /// Only of this detector, by its name or its family (`sign_in`, `tokens` or `traffic`)
    #[arg(long, value_name = "NAME")]
    detector: Option<String>,
    /// Only proof, or only judgements
    #[arg(long, value_parser = ["certain", "statistical"])]
    class: Option<String>,
    /// Only those that are at least so bad
    #[arg(long, value_parser = ["low", "medium", "high", "critical"])]
    severity: Option<String>,
    /// Only about this subject
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only about this client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only about this token
    #[arg(long = "token", value_name = "JTI")]
    jti: Option<String>,
    /// Only about this address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Only of this incident or campaign
    #[arg(long, value_name = "ID")]
    incident: Option<String>,
    /// Only those that something of this time or later has decided, as 2026-12-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only those that something before this time has decided
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only those that a restriction answers, or only those that none does
    #[arg(long, value_name = "BOOLEAN", value_parser = ["true", "false"])]
    answered: Option<String>,
    /// Only those of which somebody has said what they are worth, or only those of which nobody has
    #[arg(long, value_name = "BOOLEAN", value_parser = ["true", "false"])]
    judged: Option<String>,
}

// === impl Sought ===

impl Sought {
    /// The path of a list with these as its query.
    pub(super) fn of(&self, list: &str) -> String {
        let all = [
            ("detector", &self.detector),
            ("class", &self.class),
            ("severity", &self.severity),
            ("subject", &self.subject),
            ("client", &self.client),
            ("token", &self.jti),
            ("ip", &self.ip),
            ("incident", &self.incident),
            ("from", &self.from),
            ("to", &self.to),
            ("answered", &self.answered),
            ("judged", &self.judged),
        ];
        let given = all.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let pairs: Vec<String> =
            given.map(|(name, value)| format!("{name}={}", super::segment(value))).collect();
        if pairs.is_empty() { list.to_owned() } else { format!("{list}?{}", pairs.join("&")) }
    }
}
