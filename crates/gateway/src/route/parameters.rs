//! The parameters of a path template, and where their values are in a path.

/// Names, and the segments that they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Box<[Parameter]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    name: Box<str>,
    /// The number of the segment, from 0.
    segment: usize,
    /// Whether it has all that comes after, too.
    rest: bool,
}

// === impl Parameters ===

impl Parameters {
    /// Of a well-formed template.
    pub(crate) fn of(template: &str) -> Self {
        let parts = template.trim_start_matches('/').split('/').enumerate();
        let named = parts.filter_map(|(segment, part)| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            let (name, rest) = match name.strip_suffix("...") {
                Some(name) => (name, true),
                None => (name, false),
            };
            Some(Parameter { name: name.into(), segment, rest })
        });
        Self(named.collect())
    }

    /// The values that they have in a path that the template answers for.
    pub(crate) fn values<'v>(&'v self, path: &'v str) -> Vec<(&'v str, &'v str)> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let value = |parameter: &'v Parameter| {
            let mut segments = path.splitn(parameter.segment + 2, '/').skip(parameter.segment);
            let first = segments.next()?;
            let value = match segments.next() {
                Some(after) if parameter.rest => {
                    path.get(path.len() - after.len() - first.len() - 1..)?
                }
                _ => first,
            };
            Some((&*parameter.name, value))
        };
        self.0.iter().filter_map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn each_parameter_has_its_part_of_the_path() {
        for (template, path, values) in [
            ("/orders", "/orders", vec![]),
            ("/orders/{id}", "/orders/17", vec![("id", "17")]),
            ("/{shop}/orders/{id}", "/a%2Fb/orders/17", vec![("shop", "a%2Fb"), ("id", "17")]),
            ("/files/{rest...}", "/files/a/b/c", vec![("rest", "a/b/c")]),
            ("/files/{rest...}", "/files/", vec![("rest", "")]),
            ("/{a}/{rest...}", "/x/y/", vec![("a", "x"), ("rest", "y/")]),
            ("/files/{rest...}", "/files", vec![]),
        ] {
            assert_eq!(Parameters::of(template).values(path), values, "{template} {path}");
        }
    }
}
