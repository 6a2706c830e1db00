//! Letters to people: handed over at once, carried by SMTP in the background, or kept in memory where an
//! administrator can read them.
//!
//! Whoever posts a letter never waits for a mail server. What is waiting is bounded, tried again for a
//! while, and then lost with a line in the log that says nothing of its content.

mod address;
mod courier;
mod letter;
mod mailbox;
mod outbox;
mod smtp;

pub use address::{Address, NotAnAddress};
pub use courier::Courier;
pub use letter::Letter;
pub use mailbox::{Kept, Mailbox};
pub use outbox::{Counts, Outbox};
pub use smtp::{BadSmtp, Security, Smtp, is_sender};

#[cfg(test)]
mod tests;
