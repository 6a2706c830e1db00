//! An hour of a principal that is unlike its other hours and unlike everybody's: the last net.
//!
//! Half-space trees (Tan, Ting and Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011):
//! 25 trees of depth 8 cut the space of features at random, with a fixed seed; a point where few
//! points of the last window fell is rare. Features are how an hour differs from the principal's
//! own mean, so that a busy job is as ordinary as a person: requests, different objects and routes
//! for a request, share of refusals, bytes for a request. Looked at when the hour has ended, with
//! twenty requests at least and eight hours known before. An hour with two clients is two things at once, such as a person
//! beside their television, and says nothing. The finding names the features without
//! which the hour would be ordinary. An hour like the last one that was told is a habit, such as an export each night;
//! it is compared with the one that was told, so that no habit grows out of it by and by. Nothing is done about it.
//! State: 66 bytes a principal, 100 KiB of trees.

use serde_json::json;

use crate::detector::traffic::seen::{Facts, Seen};
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::once::Once;

const TREES: usize = 25;
const DEPTH: usize = 8;
/// Nodes of one tree.
const NODES: usize = (1 << (DEPTH + 1)) - 1;
/// Points in a window.
const WINDOW: u32 = 500;
/// A node with fewer points than a tenth of the window is not divided further.
const SMALL: u32 = WINDOW / 10;
const SEED: u64 = 0x7472_6565_735f_3235;
/// An hour is rare whose score is so small a part of the mean score.
const RARE: f32 = 0.1;
/// So much more without a feature: then the feature made it.
const MADE_IT: f32 = 1.25;
const REQUESTS: u16 = 20;
const HOURS: u8 = 8;
const SEVERAL: u8 = u8::MAX;

const FEATURES: [&str; 5] = ["requests", "objects", "routes", "refusals", "bytes"];
/// How much of a difference fills half of the space for a principal whose hours are all alike:
/// logarithms for the first and the last.
const RANGE: [f32; 5] = [0.7, 0.2, 0.1, 0.1, 0.7];
/// So many mean deviations more for one whose hours differ.
const DEVIATIONS: f32 = 3.0;
/// A deviation learnt from so many hours is taken twice: few hours hide how much they differ.
const FEW_HOURS: f32 = 8.0;

type Point = [f32; FEATURES.len()];

/// Parts of one in a number that is kept: a million principals have ten of them.
const PARTS: f32 = 2048.0;

/// Numbers below 32, in half of the space.
#[derive(Clone, Copy, Default)]
struct Kept([u16; FEATURES.len()]);

/// The running hour of one principal, and the mean of those before.
#[derive(Default)]
pub(super) struct State {
    pub(super) hour: u32,
    requests: u16,
    refusals: u16,
    bytes: f32,
    objects: Distinct<1>,
    routes: Distinct<1>,
    mean: Kept,
    deviation: Kept,
    /// The last hour that was told.
    told: Kept,
    /// As many as go in.
    hours: u8,
    /// By which client the hour's requests came: some bits of its number, or [`SEVERAL`].
    client: u8,
    once: Once,
}

/// The forest.
pub(super) struct Anomaly {
    /// Feature and place of each node's cut.
    cuts: Vec<(u8, f32)>,
    /// Points of the last window by node, and of the running one.
    known: Vec<u16>,
    counted: Vec<u16>,
    points: u32,
    windows: u32,
    mean_score: f32,
}

impl Default for Anomaly {
    fn default() -> Self {
        let mut cuts = Vec::with_capacity(TREES * NODES);
        for tree in 0..TREES {
            grow(tree as u64, &mut cuts);
        }
        Self {
            cuts,
            known: vec![0; TREES * NODES],
            counted: vec![0; TREES * NODES],
            points: 0,
            windows: 0,
            mean_score: 0.0,
        }
    }
}

// === impl Anomaly ===

impl Anomaly {
    pub(super) fn observe(&mut self, seen: &Seen<'_>, state: &mut State) -> Option<Sighting> {
        let hour = seen.now / 3600;
        let sighting = if hour > state.hour { self.judge(seen, state) } else { None };
        if hour > state.hour {
            state.begin(hour);
        }
        state.by(seen.client);
        state.requests = state.requests.saturating_add(1);
        state.refusals = state.refusals.saturating_add(u16::from(seen.is_denied));
        state.bytes += seen.request.bytes_out as f32;
        if let Some(object) = seen.object {
            state.objects.add(object);
        }
        if let Some(route) = seen.route {
            state.routes.add(route);
        }
        sighting
    }

    /// Looks at the hour that has ended.
    fn judge(&mut self, seen: &Seen<'_>, state: &mut State) -> Option<Sighting> {
        if state.requests < REQUESTS || state.client == SEVERAL {
            return None;
        }
        let values = state.values();
        let (mean, deviation) = (state.mean.point(), state.deviation.point());
        let hours = state.hours;
        state.learn(&values);
        if hours < HOURS {
            return None;
        }
        let point = differences(&values, &mean, &deviation, hours);
        let score = self.score(&point);
        let usual = self.mean_score;
        let is_rare = self.windows > 0 && score < usual * RARE;
        if !is_rare {
            self.learn(&point, score);
            return None;
        }
        if state.told.is_like(&values) {
            return None;
        }
        let made_it = self.made_it(&point, score);
        if made_it.is_empty() || !state.once.allows(seen.now, 1.0) {
            return None;
        }
        state.told = Kept::of(&values);
        let shown: Vec<String> =
            made_it.iter().map(|at| shown(*at, values[*at], mean[*at])).collect();
        let names: Vec<&str> = made_it.iter().map(|at| FEATURES[*at]).collect();
        let summary = format!(
            "an hour of {} was unlike its others and everybody's: {}",
            seen.name(),
            shown.join(", ")
        );
        let facts = Facts::from([
            ("features", json!(names)),
            ("score", json!(score.round())),
            ("mean_score", json!(usual.round())),
            ("hours_known", json!(hours)),
        ]);
        Some(seen.sighting(Kind::Anomaly, summary, facts))
    }

    /// The features without which the point would be much less rare.
    fn made_it(&self, point: &Point, score: f32) -> Vec<usize> {
        let without = |at: usize| {
            let mut other = *point;
            other[at] = 0.5;
            self.score(&other)
        };
        (0..FEATURES.len()).filter(|at| without(*at) > score * MADE_IT).collect()
    }

    /// How common the point's surroundings are.
    fn score(&self, point: &Point) -> f32 {
        let mut sum = 0.0;
        for tree in 0..TREES {
            let (mut node, mut depth) = (0, 0);
            loop {
                let mass = u32::from(self.known[tree * NODES + node]);
                if depth == DEPTH || mass < SMALL {
                    sum += mass as f32 * (1u32 << depth) as f32;
                    break;
                }
                node = self.child(tree, node, point);
                depth += 1;
            }
        }
        sum
    }

    fn learn(&mut self, point: &Point, score: f32) {
        for tree in 0..TREES {
            let mut node = 0;
            for depth in 0..=DEPTH {
                self.counted[tree * NODES + node] += 1;
                if depth < DEPTH {
                    node = self.child(tree, node, point);
                }
            }
        }
        if self.windows > 0 {
            let weight = if self.mean_score == 0.0 { 1.0 } else { 0.01 };
            self.mean_score += (score - self.mean_score) * weight;
        }
        self.points += 1;
        if self.points == WINDOW {
            std::mem::swap(&mut self.known, &mut self.counted);
            self.counted.fill(0);
            self.points = 0;
            self.windows += 1;
        }
    }

    fn child(&self, tree: usize, node: usize, point: &Point) -> usize {
        let (feature, cut) = self.cuts[tree * NODES + node];
        2 * node + if point[usize::from(feature)] < cut { 1 } else { 2 }
    }
}

// === impl State ===

impl State {
    fn begin(&mut self, hour: u32) {
        (self.hour, self.requests, self.refusals, self.bytes, self.client) = (hour, 0, 0, 0.0, 0);
        self.objects.clear();
        self.routes.clear();
    }

    fn by(&mut self, client: u64) {
        let client = (client % u64::from(SEVERAL - 1)) as u8 + 1;
        self.client = if self.client == 0 || self.client == client { client } else { SEVERAL };
    }

    fn values(&self) -> Point {
        let requests = f32::from(self.requests);
        [
            requests.ln(),
            (self.objects.count() as f32 / requests).min(1.0),
            (self.routes.count() as f32 / requests).min(1.0),
            f32::from(self.refusals) / requests,
            (self.bytes / requests + 1.0).ln(),
        ]
    }

    fn learn(&mut self, values: &Point) {
        self.hours = self.hours.saturating_add(1);
        let weight = 1.0 / f32::from(self.hours.min(50));
        let (mut mean, mut deviation) = (self.mean.point(), self.deviation.point());
        for (at, value) in values.iter().enumerate() {
            let off = value - mean[at];
            mean[at] += off * weight;
            deviation[at] += (off.abs() - deviation[at]) * weight;
        }
        (self.mean, self.deviation) = (Kept::of(&mean), Kept::of(&deviation));
    }
}

// === impl Kept ===

impl Kept {
    fn of(point: &Point) -> Self {
        Self(point.map(|value| (value * PARTS).round() as u16))
    }

    /// Whether an hour differs by no more than one may of a principal whose hours are all alike.
    fn is_like(self, values: &Point) -> bool {
        let held = self.point();
        (0..FEATURES.len()).all(|at| (values[at] - held[at]).abs() <= RANGE[at])
    }

    fn point(self) -> Point {
        self.0.map(|value| f32::from(value) / PARTS)
    }
}

/// From 0 to 1; a half is the mean.
fn differences(values: &Point, mean: &Point, deviation: &Point, hours: u8) -> Point {
    let deviations = DEVIATIONS * (1.0 + FEW_HOURS / f32::from(hours));
    let mut point = [0.5; FEATURES.len()];
    for (at, place) in point.iter_mut().enumerate() {
        let half = RANGE[at] + deviations * deviation[at];
        *place = (0.5 + (values[at] - mean[at]) / (2.0 * half)).clamp(0.0, 1.0);
    }
    point
}

/// `refusals 0.80 of a request against 0.02`.
fn shown(at: usize, value: f32, mean: f32) -> String {
    let (value, mean) = if at == 0 || at == 4 { (value.exp(), mean.exp()) } else { (value, mean) };
    let unit = if at == 0 { "" } else { " for a request" };
    format!("{} {value:.2}{unit} against {mean:.2}", FEATURES[at])
}

/// The cuts of one tree: each halves the working range of a feature, which starts at a random
/// place (the paper's section 3).
fn grow(tree: u64, cuts: &mut Vec<(u8, f32)>) {
    let mut state = hash::both(SEED, tree);
    let mut random = move || {
        state = hash::both(state, SEED);
        state
    };
    let mut start = [(0.0, 1.0); FEATURES.len()];
    for range in &mut start {
        let middle = (random() >> 40) as f32 / (1u32 << 24) as f32;
        let half = 2.0 * middle.max(1.0 - middle);
        *range = (middle - half, middle + half);
    }
    let mut ranges = vec![start];
    for node in 0..NODES {
        let feature = (random() >> 32) as usize % FEATURES.len();
        let range = ranges[node];
        let (low, high) = range[feature];
        let cut = (low + high) / 2.0;
        cuts.push((feature as u8, cut));
        let (mut left, mut right) = (range, range);
        left[feature].1 = cut;
        right[feature].0 = cut;
        ranges.extend([left, right]);
    }
}
