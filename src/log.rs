//! The log, on standard error, as logfmt or JSON. docs/log.md is its schema.
//!
//! Logging never waits for the reader of the log: lines go through a bounded queue, see `stderr`.

mod json;
mod stderr;

use std::panic::{self, PanicHookInfo};
use std::thread;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Maximum time at the end of the process for the last lines to be written.
const FLUSH: Duration = Duration::from_secs(1);

/// The least important lines that are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// The format of lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Format {
    #[default]
    Logfmt,
    Json,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        }
    }
}

/// Starts logging. A second call changes nothing.
pub fn init(level: Level, format: Format) {
    // Libraries log only warnings and errors: at lower levels, an HTTP client logs headers, which can contain a token.
    let level = LevelFilter::from(level);
    // The names of all crates of the project begin with this word.
    let targets = Targets::new().with_target("minergate", level).with_default(level.min(LevelFilter::WARN));
    let writer = || stderr::Stderr;
    let layer = match format {
        Format::Json => tracing_subscriber::fmt::layer().event_format(json::Json).with_writer(writer).boxed(),
        Format::Logfmt => {
            let formatter = tracing_logfmt::builder().with_span_name(false).with_span_path(false).layer();
            formatter.with_writer(writer).boxed()
        }
    };
    // It only fails if there is already a subscriber, as in tests.
    if tracing_subscriber::registry().with(layer.with_filter(targets)).try_init().is_ok() {
        // The standard panic hook writes to standard error directly, and would wait for its reader.
        panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    // A formatted message can contain a value, which can be a secret, so only constant messages are logged.
    let error = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(error, location, "panicked");
    if thread::current().name() == Some("main") {
        flush();
    }
}

/// Prints a line that is not in the log's format, such as the final error.
pub fn print(line: &str) {
    stderr::push(format!("{line}\n").as_bytes());
}

/// Waits until the last lines are written, at most a second.
pub fn flush() {
    stderr::flush(FLUSH);
}

/// Number of lines lost since the start because nobody read the log.
pub fn dropped_lines() -> u64 {
    stderr::dropped()
}
