//! All rules, as a tree of path segments: found without allocating, and never around a rule by a spelling that the
//! upstream takes for another.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use http::Method;

use super::variants::{PathVariants, fold, is_plain};
use super::{Found, Rule, Rules, Segment, Template};

/// All rules.
#[derive(Default)]
pub struct Routes {
    /// As the templates are written.
    exact: Node,
    /// With literals as [`fold`] leaves them.
    folded: Node,
    all: Vec<Entry>,
    /// Whether some literal is not as [`fold`] leaves it.
    folds: bool,
    /// Whether some rule says of CORS something else than the gateway.
    pub(crate) own_cors: bool,
}

/// What is at one template.
struct Entry {
    rules: Rules,
    variants: PathVariants,
    /// The entry that has the same place in the folded tree; mostly itself.
    stands: usize,
    /// Whether others stand for this one, which are told apart by what is folded alone.
    twins: bool,
    /// No rule, for a path that may or may not be this one.
    doubt: Rules,
}

/// The numbers of entries by segments.
#[derive(Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    parameter: Option<Box<Node>>,
    here: Option<usize>,
    rest: Option<usize>,
}

/// An entry, and where in the path the last parameter's value is.
type Hit = (usize, Option<Range<usize>>);

/// Looks for a path in one of the trees.
struct Search<'p> {
    path: &'p str,
    folded: bool,
    /// The first entry that would have answered, had there been a slash more or less at the path's end.
    slash: Option<Hit>,
}

/// Why a rule cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// The method (`*` for all) has a rule for this template already.
    Twice(String),
    /// Rules of one template differ in what they say of its variants, or two templates are one for upstreams that
    /// take variants for the same.
    Variants,
}

// === impl Routes ===

impl Routes {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`NotAdded`] when it contradicts one that is there.
    pub(crate) fn add(
        &mut self,
        template: &Template,
        methods: &[Method],
        variants: PathVariants,
        rule: Rule,
    ) -> Result<(), NotAdded> {
        let number = self.number(template, variants)?;
        let Some(entry) = self.all.get_mut(number) else { return Err(NotAdded::Variants) };
        if entry.variants != variants {
            return Err(NotAdded::Variants);
        }
        entry.rules.add(methods, &Arc::new(rule)).map_err(NotAdded::Twice)
    }

    /// The number of a template's entry, which is made if there is none.
    fn number(&mut self, template: &Template, variants: PathVariants) -> Result<usize, NotAdded> {
        let new = self.all.len();
        let number = *self.exact.slot(&template.segments, false).get_or_insert(new);
        if number != new {
            return Ok(number);
        }
        let stands = *self.folded.slot(&template.segments, true).get_or_insert(new);
        if let Some(twin) = self.all.get_mut(stands) {
            if twin.variants == PathVariants::Same || variants == PathVariants::Same {
                return Err(NotAdded::Variants);
            }
            twin.twins = true;
        }
        let is_folded = |segment: &Segment| match segment {
            Segment::Literal(text) => fold(text) != **text,
            Segment::Parameter | Segment::Rest => false,
        };
        self.folds |= template.segments.iter().any(is_folded);
        let doubt = Rules { doubt: true, ..Rules::default() };
        let rules = Rules::default();
        self.all.push(Entry { rules, variants, stands, twins: false, doubt });
        Ok(new)
    }

    /// The rules for a path in normal form. The most particular template decides, whatever its
    /// methods are: literal before parameter before rest, segment by segment.
    ///
    /// Many servers take `/a/` or `/A` for `/a`. Where `/a` has other rules than such a path would get,
    /// its [`PathVariants`] say which count; by default those of `/a` in place of public ones, else none.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        let mut search = Search { path, folded: false, slash: None };
        let exact = search.through(&self.exact);
        let meant = if self.folds || !is_plain(path) {
            let mut search = Search { path, folded: true, slash: None };
            let folded = search.through(&self.folded);
            search.slash.or(folded)
        } else {
            search.slash.or_else(|| exact.clone())
        };
        let Some((number, object)) = meant else { return self.found(exact?) };
        let meant = self.all.get(number)?;
        let Some((exact, at)) = exact else {
            let same = meant.variants == PathVariants::Same;
            return same.then_some(Found { rules: &meant.rules, object });
        };
        let other = self.all.get(exact)?;
        let decides = Found { rules: &meant.rules, object };
        let decided = Found { rules: &other.rules, object: at };
        if other.stands == meant.stands || (!meant.twins && meant.rules.guard_like(&other.rules)) {
            return Some(decided);
        }
        Some(match meant.variants {
            PathVariants::Same => decides,
            PathVariants::Distinct if !meant.twins || self.all_distinct(meant.stands) => decided,
            PathVariants::Refuse if !meant.twins && other.rules.are_public() => decides,
            PathVariants::Refuse if !meant.twins && meant.rules.are_public() => decided,
            PathVariants::Distinct | PathVariants::Refuse => {
                Found { rules: &meant.doubt, object: None }
            }
        })
    }

    fn found(&self, (number, object): Hit) -> Option<Found<'_>> {
        self.all.get(number).map(|entry| Found { rules: &entry.rules, object })
    }

    fn all_distinct(&self, stands: usize) -> bool {
        let mut twins = self.all.iter().filter(|entry| entry.stands == stands);
        twins.all(|entry| entry.variants == PathVariants::Distinct)
    }
}

// === impl Node ===

impl Node {
    /// Where the number of a template's entry is.
    fn slot(&mut self, segments: &[Segment], folded: bool) -> &mut Option<usize> {
        let mut node = self;
        for segment in segments {
            node = match segment {
                Segment::Literal(text) if folded => {
                    node.literals.entry(fold(text).into()).or_default()
                }
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter => node.parameter.get_or_insert_default(),
                Segment::Rest => return &mut node.rest,
            };
        }
        &mut node.here
    }

    fn literal(&self, segment: &str, folded: bool) -> Option<&Self> {
        match folded && !self.literals.is_empty() {
            true => self.literals.get(&*fold(segment)),
            false => self.literals.get(segment),
        }
    }

    /// What answers for this place with a slash more.
    fn with_slash(&self) -> Option<usize> {
        self.literals.get("").and_then(|node| node.here).or(self.rest)
    }
}

// === impl Search ===

impl Search<'_> {
    fn through(&mut self, root: &Node) -> Option<Hit> {
        self.below(root, Some(usize::from(self.path.starts_with('/'))), None)
    }

    /// `at` is where the next segment begins; `None` when all are used up.
    fn below(
        &mut self,
        node: &Node,
        at: Option<usize>,
        object: Option<Range<usize>>,
    ) -> Option<Hit> {
        let Some(at) = at else {
            if node.here.is_none() {
                self.note(node.with_slash(), &object);
            }
            return node.here.map(|number| (number, object));
        };
        let path = self.path;
        let end = path[at..].find('/').map_or(path.len(), |slash| at + slash);
        let next = (end < path.len()).then_some(end + 1);
        let segment = &path[at..end];
        if let Some(node) = node.literal(segment, self.folded)
            && let Some(hit) = self.below(node, next, object.clone())
        {
            return Some(hit);
        }
        if let Some(node) = node.parameter.as_ref().filter(|_| !segment.is_empty())
            && let Some(hit) = self.below(node, next, Some(at..end))
        {
            return Some(hit);
        }
        if node.rest.is_none() && segment.is_empty() && next.is_none() {
            self.note(node.here, &object);
        }
        node.rest.map(|number| (number, object))
    }

    /// The first is the most particular.
    fn note(&mut self, number: Option<usize>, object: &Option<Range<usize>>) {
        if let (None, Some(number)) = (&self.slash, number) {
            self.slash = Some((number, object.clone()));
        }
    }
}
