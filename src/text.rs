//! Metrics as text, in the two formats of Prometheus.
//!
//! OpenMetrics 1.0.0 and text 0.0.4 differ only in the lines about a family. Samples are exactly the same.

use std::fmt::{Arguments, Write};

use minergate::metric::{Family, Kind, Unit, write_label};

/// The format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Text,
}

impl Format {
    pub const ALL: [Format; 2] = [Format::OpenMetrics, Format::Text];

    pub const fn content_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The end of the exposition.
    pub const fn end(self) -> &'static str {
        match self {
            Format::OpenMetrics => "# EOF\n",
            Format::Text => "",
        }
    }
}

/// The lines before a family's samples. `path` is the path of the API that the family comes from, if any.
pub fn header(format: Format, family: &Family, path: Option<&str>) -> String {
    let name = family.name();
    // OpenMetrics has the family's name here, text 0.0.4 the name of its samples.
    let (name, kind) = match (format, family.kind) {
        (_, Kind::Gauge) => (name, "gauge"),
        (Format::OpenMetrics, Kind::Counter) => (name, "counter"),
        (Format::OpenMetrics, Kind::Info) => (name, "info"),
        (Format::Text, Kind::Counter) => (name + "_total", "counter"),
        (Format::Text, Kind::Info) => (name + "_info", "gauge"),
    };
    let mut text = format!("# HELP {name} {}\n# TYPE {name} {kind}\n", family.help(path));
    if let (Format::OpenMetrics, Some(unit)) = (format, family.unit.map(Unit::name)) {
        push(&mut text, format_args!("# UNIT {name} {unit}\n"));
    }
    text
}

/// Writes samples of one name.
pub struct SampleWriter<'a> {
    text: &'a mut String,
    name: &'a str,
    /// The name, the brace, and the label that all samples of a loop share.
    start: String,
}

impl<'a> SampleWriter<'a> {
    pub fn new(text: &'a mut String, name: &'a str) -> SampleWriter<'a> {
        SampleWriter { text, name, start: String::new() }
    }

    /// Writes samples from their labels and values. `shared` is an additional label of all samples.
    pub fn write<'b>(&mut self, shared: Option<(&str, &str)>, samples: impl Iterator<Item = (&'b str, f64)>) {
        let SampleWriter { text, name, start } = self;
        start.clear();
        start.push_str(name);
        if let Some((name, value)) = shared {
            start.push('{');
            write_label(start, name, value);
        }
        for (labels, value) in samples {
            text.push_str(start);
            match (shared.is_some(), labels.is_empty()) {
                (true, true) => text.push_str("} "),
                (true, false) => text.extend([",", labels, "} "]),
                (false, true) => text.push(' '),
                (false, false) => text.extend(["{", labels, "} "]),
            }
            write_value(text, value);
            text.push('\n');
        }
    }
}

/// Writes the shortest text that is parsed as the same number.
pub fn write_value(text: &mut String, value: f64) {
    /// Whole numbers below this are exact in a double.
    const EXACT: i64 = 9_007_199_254_740_992;
    #[expect(clippy::cast_possible_truncation, reason = "what it cuts off is looked at")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact where it counts")]
    let is_whole = whole as f64 == value && -EXACT < whole && whole < EXACT;
    if is_whole {
        text.push_str(itoa::Buffer::new().format(whole));
    } else {
        text.push_str(zmij::Buffer::new().format(value));
    }
}

/// Converts the output of prometheus-client, which is OpenMetrics, to text 0.0.4: the lines about families differ.
pub fn from_open_metrics(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            push(&mut text, format_args!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with("# UNIT ") {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn push(text: &mut String, arguments: Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(value: f64) -> String {
        let mut text = String::new();
        write_value(&mut text, value);
        text
    }

    #[test]
    fn values_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (30.665_925_215_334, "30.665925215334"),
            (1_454_496_693.669, "1454496693.669"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e-9, "1e-9"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(written(value), expected);
        }
    }

    proptest! {
        #[test]
        fn values_read_back_as_they_were(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(written(value).parse().ok(), Some(value));
        }
    }
}
