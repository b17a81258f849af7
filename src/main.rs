//! Runs the library: prints the error, if any, and returns the exit code.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use minergate_exporter::{cli, log};

fn main() -> ExitCode {
    minergate_memory::share();
    let code = match cli::run() {
        Ok(code) => code,
        // The reader closed the pipe, as `head` does.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            log::print(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    };
    log::flush();
    code
}
