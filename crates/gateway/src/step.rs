//! The steps of a request's path, as whoever asks about a request is told of them.

/// A step, in the order in which a request meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The client's network is not blocked.
    Clear,
    /// The target has one meaning.
    Target,
    /// The body's end is certain.
    Framing,
    /// A rule is looked for.
    Route,
    /// There is one credential.
    Present,
    /// The token is good by itself.
    Verify,
    /// Its sender may use it.
    Bind,
    /// Nobody has taken it back.
    InForce,
    /// The route's rule lets it through.
    Permit,
    /// It is within the limits.
    Within,
    /// Every proof is there.
    Admit,
    /// It carries no injection.
    Inspect,
    /// The API has it.
    Forward,
}

/// By which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// A proxy of another maker asked.
    Auth,
    /// The gateway's own.
    Gateway,
    /// Inside of another service.
    Layer,
}

/// How a request failed: at which step, and in words for whoever may know all of it.
pub(crate) struct Failed {
    pub(crate) step: Step,
    pub(crate) detail: Box<str>,
}

// === impl Step ===

impl Step {
    pub(crate) const ALL: [Self; 13] = [
        Self::Clear,
        Self::Target,
        Self::Framing,
        Self::Route,
        Self::Present,
        Self::Verify,
        Self::Bind,
        Self::InForce,
        Self::Permit,
        Self::Within,
        Self::Admit,
        Self::Inspect,
        Self::Forward,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Target => "target",
            Self::Framing => "framing",
            Self::Route => "route",
            Self::Present => "present",
            Self::Verify => "verify",
            Self::Bind => "bind",
            Self::InForce => "in_force",
            Self::Permit => "permit",
            Self::Within => "within",
            Self::Admit => "admit",
            Self::Inspect => "inspect",
            Self::Forward => "forward",
        }
    }

    /// Whether it asks about the token.
    pub(crate) fn is_about_token(self) -> bool {
        matches!(self, Self::Present | Self::Verify | Self::Bind | Self::InForce)
    }
}

// === impl Door ===

impl Door {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Gateway => "gateway",
            Self::Layer => "layer",
        }
    }

    /// Whether the step is somebody else's there: of the proxy that forwards, of the service that routes.
    pub(crate) fn leaves_out(self, step: Step) -> bool {
        match self {
            Self::Auth | Self::Layer => matches!(step, Step::Framing | Step::Forward),
            Self::Gateway => false,
        }
    }
}
