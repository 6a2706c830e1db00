//! Objects as languages write them down: whoever reads one runs what its class does.

/// Packages whose classes an API names to nobody: those of platforms and of their servers.
const PLATFORMS: [&str; 11] = [
    "java.",
    "javax.",
    "com.sun.",
    "sun.",
    "org.apache.",
    "org.springframework.",
    "org.hibernate.",
    "com.mchange.",
    "com.caucho.",
    "ch.qos.logback.",
    "oracle.jdbc.",
];
/// Tags of YAML that make an object of a class.
const TAGS: [&str; 6] = ["!!python/", "!!java", "!!ruby/", "!ruby/", "!!com.sun.", "!!org."];

/// An object as PHP writes it, `O:8:"Name":0:{}`, a tag of YAML that makes one, or a function as node-serialize
/// marks it.
pub(super) fn is_written(text: &str) -> bool {
    let php = |(at, _): (usize, &str)| {
        let rest = &text[at + 2..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let alone = at == 0 || text[..at].ends_with(['{', ';', ':']);
        digits > 0 && alone && rest[digits..].starts_with(":\"") && text.contains(":{")
    };
    text.contains("_$$nd_func$$_")
        || text.match_indices("o:").any(php)
        || TAGS.iter().any(|tag| text.contains(tag))
}

/// `!ruby/object:Gem::Requirement`: a tag that makes an object, with the name of its class.
pub(super) fn is_tagged(text: &str) -> bool {
    ["!ruby/object:", "!!python/object", "!!java"].iter().any(|tag| text.contains(tag))
}

/// Whether a text names a class of a platform; lists, maps and times are what they seem.
pub(crate) fn is_platform_class(text: &str) -> bool {
    let name = text.trim_start_matches(['[', 'L', ' ']);
    let harmless =
        ["java.util.", "java.time.", "java.math.", "java.lang.String", "java.lang.Integer"];
    let dotnet = name.starts_with("System.") && name.contains(", ");
    dotnet
        || PLATFORMS.iter().any(|package| name.starts_with(package))
            && !harmless.iter().any(|package| name.starts_with(package))
}
