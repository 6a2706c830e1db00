//! The names tried lately by one network, or by a group of networks: which failed, which got in.

use std::collections::VecDeque;
use std::time::Duration;

use ipnet::IpNet;
use token::id::SubjectId;
use token::time::Timestamp;

/// Within so long whoever mistyped tries again.
const RESTED: Duration = Duration::from_secs(600);

/// The last `N` different names, of 64 bytes each.
#[derive(Default)]
pub(super) struct Names<const N: usize>(VecDeque<Tried>);

struct Tried {
    ts: Timestamp,
    name: u64,
    network: IpNet,
    tries: u16,
    unknown: bool,
    got_in: bool,
    subject: Option<SubjectId>,
}

/// What came of one try.
pub(super) struct Try {
    pub(super) name: u64,
    pub(super) network: IpNet,
    /// No such name is known.
    pub(super) unknown: bool,
    /// The password was right.
    pub(super) got_in: bool,
    /// Whose it was, when it was.
    pub(super) subject: Option<SubjectId>,
}

/// What the names within a window say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// Different names.
    pub(super) names: usize,
    /// Those that never got in.
    pub(super) failed: usize,
    /// Those of them that are nobody's.
    pub(super) unknown: usize,
    /// Tries of those that never got in.
    pub(super) tries: usize,
    /// From the first to the last.
    pub(super) span: Duration,
}

// === impl Names ===

impl<const N: usize> Names<N> {
    pub(super) fn note(&mut self, now: Timestamp, tried: Try) {
        let held = self.0.iter().position(|held| held.name == tried.name);
        let before = held.and_then(|at| self.0.remove(at));
        if self.0.len() >= N {
            self.0.pop_front();
        }
        self.0.push_back(Tried {
            ts: now,
            name: tried.name,
            network: tried.network,
            tries: before.as_ref().map_or(1, |held| held.tries.saturating_add(1)),
            unknown: tried.unknown,
            got_in: tried.got_in || before.as_ref().is_some_and(|held| held.got_in),
            subject: tried.subject.or_else(|| before.and_then(|held| held.subject)),
        });
    }

    /// Forgets what a network tried.
    pub(super) fn forget(&mut self, network: IpNet) {
        self.0.retain(|tried| tried.network != network);
    }

    pub(super) fn share(&self, now: Timestamp, window: Duration) -> Share {
        let mut share = Share::default();
        let mut first = None;
        for tried in self.within(now, window) {
            first.get_or_insert(tried.ts);
            share.names += 1;
            if !tried.got_in {
                share.failed += 1;
                share.tries += usize::from(tried.tries);
                share.unknown += usize::from(tried.unknown);
            }
        }
        share.span = first.map_or(Duration::ZERO, |first| now.since(first));
        share
    }

    /// Different networks of the names that never got in.
    pub(super) fn networks(&self, now: Timestamp, window: Duration) -> usize {
        let failed = self.within(now, window).filter(|tried| !tried.got_in);
        failed.map(|tried| tried.network).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// A network from which nobody got in, of those that tried the most names: one whose last try is so long ago that who
    /// had mistyped would have got in.
    pub(super) fn long_failed(&self, now: Timestamp, window: Duration) -> Option<IpNet> {
        let mut networks: Vec<(IpNet, usize)> = Vec::new();
        let rested = now.minus(RESTED);
        let fails = |network| {
            self.0.iter().filter(|it| it.network == network).all(|it| !it.got_in && it.ts <= rested)
        };
        for tried in self.within(now, window) {
            match networks.iter_mut().find(|(network, _)| *network == tried.network) {
                Some((_, count)) => *count += 1,
                None => networks.push((tried.network, 1)),
            }
        }
        networks.retain(|(network, _)| fails(*network));
        // Of equals the first.
        let most = networks.iter().map(|(_, count)| *count).max()?;
        networks.into_iter().find(|(_, count)| *count == most).map(|(network, _)| network)
    }

    /// Who got in, in the order of time.
    pub(super) fn subjects(&self, now: Timestamp, window: Duration) -> Vec<SubjectId> {
        self.within(now, window).filter_map(|tried| tried.subject.clone()).collect()
    }

    fn within(&self, now: Timestamp, window: Duration) -> impl Iterator<Item = &Tried> {
        let start = now.minus(window);
        self.0.iter().filter(move |tried| tried.ts >= start)
    }
}
