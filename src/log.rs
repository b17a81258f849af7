//! The log: what happens, on standard error, as logfmt or JSON. docs/log.md is its schema.

mod json;

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// `[log]`: how much is said, and in which form.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "log")]
pub struct Config {
    pub level: Level,
    pub format: Format,
}

/// The least important lines that are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq)]
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
pub fn init(config: Config) {
    // Libraries are heard from warnings on, whatever the level: below that, an HTTP client prints headers, and a token is one.
    let level = LevelFilter::from(config.level);
    let targets = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level).with_default(level.min(LevelFilter::WARN));
    let layer = match config.format {
        Format::Json => tracing_subscriber::fmt::layer().event_format(json::Json).with_writer(std::io::stderr).boxed(),
        Format::Logfmt => {
            let formatter = tracing_logfmt::builder().with_span_name(false).with_span_path(false).layer();
            formatter.with_writer(std::io::stderr).boxed()
        }
    };
    // It fails only where there is a subscriber already, as in tests.
    let _ = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
}
