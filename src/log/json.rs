//! A log line as JSON: what the logfmt line says, by the same names and in the same order.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Line { message: Value::Null, fields: Vec::new() };
        event.record(&mut line);
        let always = [
            ("ts", Value::from(jiff::Timestamp::now().to_string())),
            ("level", metadata.level().as_str().to_ascii_lowercase().into()),
            ("target", metadata.target().into()),
            ("message", line.message),
        ];
        for (i, (name, value)) in always.into_iter().chain(line.fields).enumerate() {
            write!(writer, "{}{}:{value}", if i == 0 { '{' } else { ',' }, Value::from(name))?;
        }
        writeln!(writer, "}}")
    }
}

/// What an event carries.
struct Line {
    message: Value,
    fields: Vec<(&'static str, Value)>,
}

impl Line {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}
