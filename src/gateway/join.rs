//! Joins answers of several wallets or pools. Numbers are copied as text, with all their digits.

use std::collections::BTreeMap;

use minergate::endpoints::Endpoint;
use minergate_server::Error;
use serde_json::value::RawValue;

/// Joins answers of an endpoint: the entries of objects by currency, or the elements of lists. Without answers, the result is empty.
///
/// # Errors
/// [`Error::Internal`] if an answer has another shape.
pub(crate) fn join(endpoint: &Endpoint, answers: &[String]) -> Result<String, Error> {
    // All answers have the shape of the sample.
    let joined = if endpoint.sample.trim_start().starts_with('[') {
        list(answers)
    } else {
        object(answers, endpoint.name == "balance")
    };
    joined.map_err(|_| Error::Internal)
}

fn list(answers: &[String]) -> serde_json::Result<String> {
    let mut all: Vec<&RawValue> = Vec::new();
    for answer in answers {
        all.extend(serde_json::from_str::<Vec<&RawValue>>(answer)?);
    }
    serde_json::to_string(&all)
}

/// With `are_texts`, numbers become texts: the API writes balances as texts, because not every language reads all digits of a number.
fn object(answers: &[String], are_texts: bool) -> serde_json::Result<String> {
    let mut all: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    for answer in answers {
        let entries: BTreeMap<String, &RawValue> = serde_json::from_str(answer)?;
        for (key, value) in entries {
            let is_number = value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
            let value = if are_texts && is_number {
                RawValue::from_string(format!("\"{}\"", value.get()))?
            } else {
                value.to_owned()
            };
            // In one account, a currency comes from one pool.
            all.entry(key).or_insert(value);
        }
    }
    serde_json::to_string(&all)
}

#[cfg(test)]
mod tests {
    use minergate::endpoints::{ENDPOINTS, find};

    use super::*;

    fn joined(endpoint: &str, answers: &[&str]) -> Option<String> {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        join(find(endpoint).unwrap(), &answers).ok()
    }

    #[test]
    fn answers_are_joined_with_all_digits() {
        for (endpoint, answers, expected) in [
            (
                "workers",
                &[r#"{"xmr": {"hashrate": 1.20000000000000000001, "miners": [ ]}}"#, r#"{"etc":{}}"#, "{}"][..],
                Some(r#"{"etc":{},"xmr":{"hashrate": 1.20000000000000000001, "miners": [ ]}}"#),
            ),
            (
                "balance",
                &[r#"{"xmr":0.071657810245}"#, r#"{"eth":1.234567890123456789,"a":"1","b":null}"#],
                Some(r#"{"a":"1","b":null,"eth":"1.234567890123456789","xmr":"0.071657810245"}"#),
            ),
            (
                "withdrawals",
                &[r#"[{"amount":1.234567890123456789}]"#, "[]", "[2, 3]"],
                Some(r#"[{"amount":1.234567890123456789},2,3]"#),
            ),
            ("workers", &[r#"{"xmr":1}"#, r#"{"xmr":2}"#], Some(r#"{"xmr":1}"#)),
            ("workers", &["[]"], None),
            ("withdrawals", &["{}"], None),
            ("withdrawals", &["[", "[]"], None),
        ] {
            assert_eq!(joined(endpoint, answers).as_deref(), expected, "{endpoint}: {answers:?}");
        }
    }

    #[test]
    fn an_empty_answer_has_the_endpoint_s_shape() {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| !["nickname", "status"].contains(&endpoint.name)) {
            let empty = joined(endpoint.name, &[]).unwrap();
            assert_eq!(empty[..1], endpoint.sample.trim_start()[..1], "{}", endpoint.name);
            assert!(endpoint.read(empty.as_bytes(), &minergate::metric::Context::default()).is_ok(), "{}", endpoint.name);
        }
    }
}
