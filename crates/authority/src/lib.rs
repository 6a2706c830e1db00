//! The authorization server and OpenID provider.
