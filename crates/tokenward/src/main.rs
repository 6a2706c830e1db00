//! The tokenward program: arguments → command → exit code.

use std::process::ExitCode;

use clap::Parser;

mod admin_client;
mod clock;
mod command;
mod compose;
mod config;
mod listen;
mod logging;
mod operations;
mod sample;

// Half the allocation cost of the system's allocator on the request path.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = command::Arguments::parse();
    match command::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
