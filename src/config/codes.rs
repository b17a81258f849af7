//! Checks of texts in lists and in tables' keys. They are checked while they are read, so that an error knows the place in the list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};

use minergate::{currency, endpoints};

/// Maximum decimals of a currency's smallest unit.
pub(super) const MAX_DECIMALS: u8 = 36;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Code(String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        let code = String::deserialize(deserializer)?;
        if currency::is_valid(&code) {
            return Ok(Code(code));
        }
        let lower = code.to_ascii_lowercase();
        Err(de::Error::custom(if currency::is_documented(&lower) {
            format!("a currency's code is in small letters; give \"{lower}\"")
        } else {
            "can't be a currency's code; give 1 to 16 of a-z, 0-9, _ and -, such as \"xmr\"".to_owned()
        }))
    }
}

struct Decimals(u8);

impl<'de> Deserialize<'de> for Decimals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimals, D::Error> {
        match i64::deserialize(deserializer)?.try_into() {
            Ok(decimals) if decimals <= MAX_DECIMALS => Ok(Decimals(decimals)),
            _ => Err(de::Error::custom(format!("out of range; give 0 to {MAX_DECIMALS}"))),
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct OptionalMetric(String);

impl<'de> Deserialize<'de> for OptionalMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OptionalMetric, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known: Vec<String> = endpoints::optional_metrics().collect();
        if known.contains(&name) {
            return Ok(OptionalMetric(name));
        }
        Err(de::Error::custom(format!("not a metric that is off by default; those are {}", known.join(", "))))
    }
}

/// For `#[serde(deserialize_with = "codes::currencies")]`.
pub(super) fn currencies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeSet<String>>, D::Error> {
    let codes = Option::<Vec<Code>>::deserialize(deserializer)?;
    Ok(codes.map(|codes| codes.into_iter().map(|code| code.0).collect()))
}

/// For `#[serde(deserialize_with = "codes::currency")]`.
pub(super) fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Code::deserialize(deserializer).map(|code| code.0)
}

/// For `#[serde(deserialize_with = "codes::decimals_of_one")]`.
pub(super) fn decimals_of_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    Option::<Decimals>::deserialize(deserializer).map(|decimals| decimals.map(|decimals| decimals.0))
}

/// For `#[serde(deserialize_with = "codes::decimals")]`.
pub(super) fn decimals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u8>, D::Error> {
    let decimals = BTreeMap::<Code, Decimals>::deserialize(deserializer)?;
    Ok(decimals.into_iter().map(|(code, decimals)| (code.0, decimals.0)).collect())
}

/// For `#[serde(deserialize_with = "codes::optional_metrics")]`.
pub(super) fn optional_metrics<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let names = Vec::<OptionalMetric>::deserialize(deserializer)?;
    Ok(names.into_iter().map(|name| name.0).collect())
}
