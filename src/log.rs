//! The log: what happens, on standard error, as logfmt or JSON. docs/log.md is its schema.
//!
//! Nothing waits for whoever reads it: lines go through a bounded queue, see `stderr`.

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

/// How long the end waits for the log's last lines to be read.
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

/// How a line is written.
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

/// Begins to log. A second call changes nothing.
pub fn init(level: Level, format: Format) {
    // Libraries are heard from warnings on, whatever the level: below that, an HTTP client prints headers, and a token is one.
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
    // It fails only where there is a subscriber already, as in tests.
    if tracing_subscriber::registry().with(layer.with_filter(targets)).try_init().is_ok() {
        // The standard hook writes to standard error itself, and would wait for its reader.
        panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    // Words that were put together at the time can quote a value, and that can be a secret.
    let error = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(error, location, "panicked");
    if thread::current().name() == Some("main") {
        flush();
    }
}

/// Prints a line that is no line of the log, such as why the program ends.
pub fn print(line: &str) {
    stderr::push(format!("{line}\n").as_bytes());
}

/// Waits for the last lines to be written, a second at most.
pub fn flush() {
    stderr::flush(FLUSH);
}

/// Lines that were lost since the start, because nobody read them.
pub fn dropped_lines() -> u64 {
    stderr::dropped()
}
