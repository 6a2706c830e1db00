//! The tokenward program.
fn main() {}
