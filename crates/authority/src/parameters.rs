//! Request parameters in `application/x-www-form-urlencoded`, from a query or a body.

use std::collections::BTreeMap;
use std::fmt;

use token::secret::Secret;
use token::term::parameter;

const MAX_PARAMETERS: usize = 64;
/// Parameters that may be sent several times (RFC 8707 §2, RFC 8693 §2.1).
const SEVERAL: [&str; 2] = [parameter::RESOURCE, parameter::AUDIENCE];

/// Parameters of one request. An empty value counts as absent (RFC 6749 §3.1); printing them
/// shows names only, since passwords, codes and secrets are among the values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, Vec<String>>);

/// Why parameters are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersRefused {
    /// RFC 6749 §3.1: no parameter may be sent twice (`resource` and `audience` may).
    #[error("the parameter `{0}` was sent more than once")]
    Duplicate(String),
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("a parameter is not percent-encoded UTF-8")]
    Encoding,
    /// A parameter that is needed is not there.
    #[error("the parameter `{0}` is missing")]
    Missing(&'static str),
    /// More than 64.
    #[error("more than 64 parameters were sent")]
    TooMany,
}

// === impl Parameters ===

impl Parameters {
    /// Parses a query or a form body.
    ///
    /// # Errors
    /// [`ParametersRefused`] for bad encoding, a parameter sent twice, or too many.
    pub fn parse(text: &str) -> Result<Self, ParametersRefused> {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MAX_PARAMETERS {
                return Err(ParametersRefused::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = form_decode(name).ok_or(ParametersRefused::Encoding)?;
            let value = form_decode(value).ok_or(ParametersRefused::Encoding)?;
            if values.contains_key(&name) && !SEVERAL.contains(&name.as_str()) {
                let shown = name.chars().filter(|c| !c.is_control()).take(64).collect();
                return Err(ParametersRefused::Duplicate(shown));
            }
            values.entry(name).or_default().push(value);
        }
        Ok(Self(values))
    }

    /// The value of a parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of a parameter that nobody may print.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.value(name).map(Secret::new)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// [`ParametersRefused::Missing`] when it is not, or is empty.
    pub fn required(&self, name: &'static str) -> Result<&str, ParametersRefused> {
        self.value(name).ok_or(ParametersRefused::Missing(name))
    }

    /// The values of a parameter that may be sent several times.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        values.iter().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The parameters but these.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// Gives a parameter one value, in place of those that it had.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), vec![value.to_owned()]);
    }

    /// The parameters as a query, in alphabetical order.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, values) in &self.0 {
            values.iter().for_each(|value| {
                query.append_pair(name, value);
            });
        }
        query.finish()
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Decodes one name or value: `+` is a space, `%` needs two hexadecimal digits, and the result
/// is UTF-8; `None` otherwise. Nothing is mended: what cannot be read is refused.
pub fn form_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{Parameters, ParametersRefused, form_decode};

    #[test]
    fn reads_names_and_values() {
        let parameters = Parameters::parse("a=1&b=x+y%2Fz&c&d=&&e=%C3%A9").unwrap_or_default();
        assert_eq!(parameters.value("a"), Some("1"));
        assert_eq!(parameters.value("b"), Some("x y/z"));
        assert_eq!(parameters.value("e"), Some("é"));
        assert_eq!(parameters.required("a"), Ok("1"));
    }

    #[test]
    fn an_empty_value_is_an_absent_one() {
        let parameters = Parameters::parse("c&d=&resource=&resource=x").unwrap_or_default();
        assert_eq!(parameters.value("c"), None);
        assert_eq!(parameters.required("d"), Err(ParametersRefused::Missing("d")));
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn no_parameter_comes_twice_but_resource() {
        for text in ["a=1&a=1", "a=&a=1", "a&%61=1"] {
            let refused = Parameters::parse(text);
            assert_eq!(refused, Err(ParametersRefused::Duplicate("a".to_owned())), "{text}");
        }
        let parameters = Parameters::parse("resource=x&resource=y").unwrap_or_default();
        assert_eq!(parameters.all("resource").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn bad_encoding_is_not_mended() {
        for text in ["a=%", "a=%2", "a=%zz", "a=%ff", "%=1", "a=%+1"] {
            assert_eq!(Parameters::parse(text), Err(ParametersRefused::Encoding), "{text}");
        }
        assert_eq!(form_decode("a%20b+c").as_deref(), Some("a b c"));
    }

    #[test]
    fn their_number_is_bounded() {
        let text: Vec<String> = (0..65).map(|n| format!("p{n}=1")).collect();
        assert_eq!(Parameters::parse(&text.join("&")), Err(ParametersRefused::TooMany));
        assert!(Parameters::parse(&text[..64].join("&")).is_ok());
    }

    #[test]
    fn printing_shows_no_value() {
        let parameters = Parameters::parse("password=hunter2").unwrap_or_default();
        assert_eq!(format!("{parameters:?}"), r#"{"password"}"#);
    }

    #[test]
    fn a_query_reads_back() {
        let parameters = Parameters::parse("b=x+y%26&a=%C3%A9&resource=1&resource=2");
        let parameters = parameters.unwrap_or_default();
        assert_eq!(Parameters::parse(&parameters.to_query()), Ok(parameters));
    }
}
