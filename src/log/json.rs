//! A log line as JSON, with the same fields in the same order as in logfmt.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use tracing::{Event, Subscriber};
use tracing_serde::SerdeMapVisitor;
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
        writeln!(writer, "{}", serde_json::to_string(&Line(event)).map_err(|_| fmt::Error)?)
    }
}

struct Line<'a>(&'a Event<'a>);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = self.0.metadata();
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("ts", &Timestamp::now().to_string())?;
        line.serialize_entry("level", &metadata.level().as_str().to_ascii_lowercase())?;
        line.serialize_entry("target", metadata.target())?;
        // tracing's macros put the message before the other fields.
        let mut fields = SerdeMapVisitor::new(line);
        self.0.record(&mut fields);
        fields.finish()
    }
}
