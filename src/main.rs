//! The binary: reads the command line and runs what it says.

use std::process::ExitCode;

use clap::Parser;
use dlr_receiver::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            dlr_receiver::cli::complain(&error);
            ExitCode::FAILURE
        }
    }
}
