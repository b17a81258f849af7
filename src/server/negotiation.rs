//! Selects the format and encoding of an answer from the request's `Accept` and `Accept-Encoding` (RFC 9110, 12.5).

use crate::exposition::Format;

/// The format that the client prefers. A client that accepts neither gets text 0.0.4, as from other exporters.
pub fn format(accept: &str) -> Format {
    let ranges: Vec<Range<'_>> = elements(accept, ',').map(Range::parse).collect();
    let open_metrics = quality(&ranges, "application", "openmetrics-text", "1.0.0");
    let text = quality(&ranges, "text", "plain", "0.0.4");
    match (open_metrics, text) {
        // A wildcard alone does not select the newer format.
        (Some((Specificity::Exact, ours)), text) if ours > 0.0 && text.is_none_or(|(_, theirs)| ours >= theirs) => {
            Format::OpenMetrics
        }
        _ => Format::Text,
    }
}

/// Whether the client accepts gzip, and prefers it at least as much as plain text.
pub fn gzip(accept_encoding: &str) -> bool {
    let codings: Vec<Range<'_>> = elements(accept_encoding, ',').map(Range::parse).collect();
    let quality = |name: &str| codings.iter().find(|coding| coding.name.eq_ignore_ascii_case(name)).map(Range::quality);
    let gzip = quality("gzip").or_else(|| quality("x-gzip")).or_else(|| quality("*")).unwrap_or(0.0);
    gzip > 0.0 && gzip >= quality("identity").unwrap_or(0.0)
}

/// How specifically a media range matches a type.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Specificity {
    Anything,
    AnySubtype,
    Exact,
}

/// One element of the header: a name, and its parameters.
struct Range<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Range<'a> {
        let mut parts = elements(element, ';');
        let name = parts.next().unwrap_or_default();
        let parameters =
            parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (key.trim(), value.trim().trim_matches('"')));
        Range { name, parameters: parameters.collect() }
    }

    fn quality(&self) -> f64 {
        let q = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case("q"));
        // A quality that is not a number from 0 to 1 is ignored.
        q.and_then(|(_, q)| q.parse().ok()).filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0)
    }

    fn matches(&self, kind: &str, subtype: &str, version: &str) -> Option<Specificity> {
        let (own_kind, own_subtype) = self.name.split_once('/')?;
        let exact = |own: &str, wanted: &str| own.eq_ignore_ascii_case(wanted);
        if self.name == "*/*" {
            Some(Specificity::Anything)
        } else if exact(own_kind, kind) && own_subtype == "*" {
            Some(Specificity::AnySubtype)
        } else {
            // A parameter can be repeated; one right version is enough.
            let mut versions =
                self.parameters.iter().filter(|(key, _)| exact(key, "version")).map(|(_, own)| *own).peekable();
            let right = versions.peek().is_none() || versions.any(|own| own == version);
            (exact(own_kind, kind) && exact(own_subtype, subtype) && right).then_some(Specificity::Exact)
        }
    }
}

/// The quality of a type: the most specific range counts, and of several equally specific ones the highest quality.
fn quality(ranges: &[Range<'_>], kind: &str, subtype: &str, version: &str) -> Option<(Specificity, f64)> {
    let matching = ranges.iter().filter_map(|range| Some((range.matches(kind, subtype, version)?, range.quality())));
    matching.max_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
}

/// Splits at a separator outside of quotes, and ignores empty elements.
fn elements(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let split = text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    split.map(str::trim).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_format_is_the_one_that_the_client_prefers() {
        let prometheus_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                            text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let prometheus_3_protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;\
                                     q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                                     text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus_2, Format::OpenMetrics),
            (prometheus_3, Format::OpenMetrics),
            (prometheus_3_protobuf, Format::OpenMetrics),
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/json", Format::Text),
            ("text/plain", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;version=0.0.1;version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.7", Format::Text),
            ("application/openmetrics-text;version=1.0.0;q=0,*/*", Format::Text),
            ("text/plain;version=0.0.4;q=0.2, application/openmetrics-text; version=1.0.0", Format::OpenMetrics),
            ("text/plain;x=\",application/openmetrics-text;q=1\";q=0.1", Format::Text),
        ] {
            assert_eq!(format(accept), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_if_the_client_prefers_it() {
        for (accept_encoding, expected) in [
            ("gzip", true),
            ("", false),
            ("identity", false),
            ("gzip, deflate, br", true),
            ("GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0.5, identity", false),
            ("deflate", false),
        ] {
            assert_eq!(gzip(accept_encoding), expected, "{accept_encoding}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".*") {
            let _ = (format(&header), gzip(&header));
        }
    }
}
