//! Documents in, operations and judgements out, through the public door alone.

mod documents;
mod mistakes;
mod requests;
mod robust;
mod roles;
mod support;
