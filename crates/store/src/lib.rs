//! Durable state of Tokenward: clients, people, grants, keys, restrictions and findings.
