//! Letters to people: handed over at once, to a queue from which they are carried by SMTP, or kept in memory
//! where an administrator can read them.
//!
//! Whoever posts a letter never waits for a mail server. The queue is somebody else's ([`Queue`]), and so is
//! when it is tried again ([`Carrier`]).

mod address;
mod letter;
mod mailbox;
mod outbox;
mod smtp;

pub use address::{Address, NotAnAddress, domain};
pub use letter::Letter;
pub use mailbox::{Kept, Mailbox};
pub use outbox::{Counts, Outbox, Queue};
pub use smtp::{BadSmtp, Carrier, NotSent, Security, Smtp, is_sender};

#[cfg(test)]
mod tests;
