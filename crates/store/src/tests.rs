//! Every act, its refusals, and what a crash leaves.

mod audit;
mod browser_sessions;
mod clients;
mod codes;
mod deliveries;
mod factors;
mod findings;
mod forgetting;
mod issued;
mod keys;
mod lifetime;
mod links;
mod master_key;
mod passkeys;
mod people;
mod personal;
mod pushed;
mod references;
mod refresh;
mod restrictions;
mod sealing;
mod status_lists;
mod support;
mod used;
mod waiting;
mod writing;
