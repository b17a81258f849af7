//! Checks that hold for every input. The fuzz targets run them, and the test suite runs them over the seeds.

use std::collections::HashSet;
use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use minergate::api::{Error, REQUEST_KINDS};
use minergate::currency::{self, Decimals};
use minergate::endpoints::{self, ENDPOINTS, Scope};
use minergate::metric::{Context, Samples};
use minergate_exporter::blocks::Cursor;
use minergate_exporter::config::{Config, ENVIRONMENT_PREFIX, Sources};
use minergate_exporter::gzip::Member;
use minergate_exporter::server::negotiation;
use minergate_exporter::store::{Key, Store};
use minergate_exporter::subject::Subject;
use minergate_exporter::text::Format;
use minergate_pools::{SOFTWARES, Software};

/// A secret in the configuration beside each input. It must never be quoted.
const SECRET: &str = "planted-secret";

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Number of ways in which a text can be a configuration.
pub(crate) const CONFIGURATIONS: u8 = 5;

/// The error codes that the classifier tells apart, and one that it does not know.
const CODES: &[&str] = &[
    "ApiDiscontinued",
    "WrongEmailOrPassword",
    "TotpRequired",
    "WrongTotp",
    "InternalError",
    "Captcha",
    "Token",
    "Unknown",
];

/// The first byte chooses an endpoint, the rest is its answer's body.
pub(crate) fn answer(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else { return };
    let endpoint = &ENDPOINTS[usize::from(choice) % ENDPOINTS.len()];
    let decimals = Decimals::default();
    let request = Context { email: Some("user1@example.com"), ..Context::of(&decimals) };
    let read = endpoint.read(body, &request);
    if !body.starts_with(MARK) {
        let marked = endpoint.read(&[MARK, body].concat(), &request).map(|samples| samples.len());
        assert_eq!(marked.ok(), read.as_ref().map(Samples::len).ok(), "a byte order mark made a difference");
    }
    let samples = match read {
        Ok(samples) => samples,
        Err(error) => return assert_eq!(error.kind(), "shape"),
    };
    let store = Store::default();
    let subject = match endpoint.scope {
        Scope::Account => Subject::Account("a".into()),
        Scope::Pool => Subject::Pool,
        Scope::Network => Subject::Network("xmr".into()),
    };
    let key = Key { subject, endpoint: endpoint.name };
    let read = obeys_label_rules(&samples) as u64 + samples.dropped;
    let dropped = store.replace(&key, samples, Duration::from_secs(60)).dropped;
    let fresh = store.fresh();
    for format in Format::ALL {
        let (mut text, mut member) = (String::new(), Member::with_capacity(0));
        for (_, samples) in fresh.iter() {
            let entries: Vec<_> = samples.entries().cloned().collect();
            assert!(samples.write(&mut Cursor::default(), &entries, &mut text, usize::MAX, format));
            assert!(samples.join(&mut Cursor::default(), &mut member, usize::MAX, format));
        }
        is_well_formed(&text, read - dropped);
        let mut compressed = String::new();
        GzDecoder::new(&*member.finish()).read_to_string(&mut compressed).unwrap();
        assert_eq!(compressed, text);
    }
}

/// Returns how many samples there are.
fn obeys_label_rules(samples: &Samples) -> usize {
    for (family, series) in samples.families() {
        for one in series {
            assert!(family.kind.allows(one.value), "{} is {}", family.name(), one.value);
            for name in family.labels {
                let value = one.text(name).unwrap_or_else(|| panic!("{}: no {name} in {}", family.name(), one.labels));
                match *name {
                    "currency" => assert!(currency::is_valid(&value), "{value:?} is no currency"),
                    "nickname" | "worker" => {
                        assert!(value.chars().count() <= 64 && !value.contains(is_unprintable), "{value:?}");
                    }
                    // A word of the table's closed sets, or a number.
                    _ => assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name} is {value:?}"),
                }
            }
        }
    }
    samples.len()
}

/// Characters that a nickname must not have: they control a terminal, or reorder or break a line.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_well_formed(text: &str, samples: u64) {
    let (about, lines): (Vec<&str>, Vec<&str>) = text.split_terminator('\n').partition(|line| line.starts_with("# "));
    assert_eq!(lines.len() as u64, samples, "a line was broken or lost:\n{text}");
    let mut seen = HashSet::new();
    for line in lines {
        let series = series(line).unwrap_or_else(|| panic!("not a sample: {line:?}"));
        assert!(seen.insert(series), "{series} stands twice");
    }
    let mut seen = HashSet::new();
    assert!(about.iter().all(|line| seen.insert(line)), "a family stands twice:\n{text}");
}

/// Name and labels of a sample's line, if it is one.
fn series(line: &str) -> Option<&str> {
    let name = line.find(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '_')).filter(|&length| length > 0)?;
    let rest = &line[name..];
    let rest = rest.strip_prefix('{').map_or(Some(rest), after_labels)?;
    rest.strip_prefix(' ')?.parse().ok().filter(|value: &f64| value.is_finite())?;
    Some(&line[..line.len() - rest.len()])
}

fn after_labels(mut text: &str) -> Option<&str> {
    loop {
        let (name, value) = text.split_once("=\"")?;
        let mut escaped = false;
        let end = value.bytes().position(|b| {
            let ends = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            ends
        })?;
        text = match value.as_bytes().get(end + 1)? {
            _ if !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')) => return None,
            b',' => &value[end + 2..],
            b'}' => return Some(&value[end + 2..]),
            _ => return None,
        };
    }
}

/// The first two bytes are a status, the rest is a body.
pub(crate) fn error(data: &[u8]) {
    let Some((&status, body)) = data.split_first_chunk() else { return };
    let status = u16::from_be_bytes(status);
    let success = (200..300).contains(&status);
    let Some(error) = Error::of_answer(status, body) else {
        return assert!(success, "a status of {status} is no error");
    };
    assert!(REQUEST_KINDS.contains(&error.kind()), "{} is not among the outcomes", error.kind());
    let object = body.strip_prefix(MARK).unwrap_or(body).trim_ascii_start();
    assert!(!success || object.starts_with(b"{"), "an answer is taken for an error");
    // This is stronger than a search for the input's words: other words cause the same error.
    let known = CODES.iter().map(|code| format!("{{\"error\": \"{code}\"}}"));
    let known = known.chain(["<html>".to_owned()]).filter_map(|body| Error::of_answer(status, body.as_bytes()));
    assert!(known.map(|error| error.to_string()).any(|sentence| sentence == error.to_string()), "{error}");
}

/// The first byte chooses what the rest is: a configuration in TOML or YAML, before or after an account with a secret, or `KEY=VALUE` as
/// a variable of the environment.
pub(crate) fn config(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let toml = format!("[[accounts]]\nname = \"planted\"\ntoken = \"{SECRET}\"\n");
    let yaml = format!("accounts:\n- name: planted\n  token: \"{SECRET}\"\n");
    match choice % CONFIGURATIONS {
        0 => is_discreet(Sources { text: Some(&format!("{toml}{text}")), ..Sources::default() }),
        1 => is_discreet(Sources { text: Some(&format!("{text}\n{toml}")), ..Sources::default() }),
        2 => is_discreet_in_yaml(&format!("{yaml}{text}")),
        3 => is_discreet_in_yaml(&format!("{text}\n{yaml}")),
        _ => {
            let Some((key, value)) = text.split_once('=') else { return };
            let environment = vec![(format!("{ENVIRONMENT_PREFIX}{key}").into(), value.into())];
            is_discreet(Sources { text: Some(&toml), environment, ..Sources::default() });
        }
    }
}

/// A file's name says that it is YAML.
fn is_discreet_in_yaml(text: &str) {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    is_discreet(Sources { file: Some(file.path()), ..Sources::default() });
}

/// No error quotes the secret: not as a value, as a key or as a variable's name.
fn is_discreet(sources: Sources<'_>) {
    match Config::load(sources) {
        Ok(config) => assert!(!format!("{config:?}").contains(SECRET), "a secret prints itself"),
        Err(error) => {
            let said = format!("{error:#} {error:?}");
            assert!(!said.contains(SECRET), "{said}");
        }
    }
}

/// The first line is an `Accept`, the second an `Accept-Encoding`.
pub(crate) fn negotiation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (accept, encoding) = text.split_once('\n').unwrap_or((text, text));
    let choice = |accept: &str, encoding: &str| (negotiation::format(accept), negotiation::gzip(encoding));
    let (format, gzip) = choice(accept, encoding);
    let (lower_accept, lower_encoding) = (accept.to_ascii_lowercase(), encoding.to_ascii_lowercase());
    let named = lower_accept.contains("application/openmetrics-text");
    assert!(named || format == Format::Text, "nobody asked for OpenMetrics");
    assert!(!gzip || lower_encoding.contains("gzip") || encoding.contains('*'), "nobody asked for gzip");
    assert_eq!(choice(&lower_accept, &lower_encoding), (format, gzip), "capitals made a difference");
    // After an open quote, a repeated header is not the same header.
    if accept.matches('"').count() % 2 == 0 && encoding.matches('"').count() % 2 == 0 {
        let twice = |header: &str| format!("{header},{header}");
        assert_eq!(choice(&twice(accept), &twice(encoding)), (format, gzip), "said twice, it meant something else");
    }
}

/// The first byte chooses a pool software and one of its endpoints, the rest is the body of each answer that the endpoint needs.
pub(crate) fn pools(data: &[u8]) {
    /// An address of letters that no answer has elsewhere.
    const ADDRESS: &str = "4QJWVQJWVQJWVQJWV";
    let Some((&choice, body)) = data.split_first() else { return };
    let all: Vec<_> = pool_endpoints().collect();
    let (software, endpoint) = all[usize::from(choice) % all.len()];
    let context = minergate_pools::Context {
        account: "rig",
        address: ADDRESS,
        currency: "etc",
        decimals: 9,
        block_time: Duration::from_secs(13),
    };
    let bodies = vec![Some(body); software.paths(endpoint).count()];
    match software.translate(endpoint, &bodies, &context) {
        Ok(json) => {
            let lower = json.to_ascii_lowercase();
            assert!(!lower.contains(&ADDRESS.to_ascii_lowercase()[..8]), "the address is passed on: {json}");
            let endpoint = endpoints::find(endpoint).unwrap();
            obeys_label_rules(&endpoint.read(json.as_bytes(), &Context::default()).unwrap());
        }
        Err(error) => {
            let kinds = ["shape", "api_error", "wallet_unknown"];
            assert!(kinds.contains(&error.kind()), "{} {endpoint}: {error}", software.name);
        }
    }
}

/// Each endpoint of each pool software.
pub(crate) fn pool_endpoints() -> impl Iterator<Item = (&'static Software, &'static str)> {
    SOFTWARES.iter().flat_map(|software| software.endpoints.iter().map(move |endpoint| (software, *endpoint)))
}
