//! Fields of the API's answers that are shown in another form than in the JSON.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minergate::currency::{self, Decimals};
use minergate::metric;

use super::json::Json;
use super::number::{atomic_units, coins, count, percentage, si};

/// The kind of value in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, or an unknown field.
    Other,
    /// Unix seconds or milliseconds.
    Time,
    Coins,
    /// An object: currency code to coins.
    CoinsByCurrency,
    /// Coins in the currency's smallest unit.
    AtomicUnits,
    /// Hashes per second.
    Hashrate,
    Count,
    /// A count, shown with its percentage of the sum of its siblings of this kind.
    Shares,
    Bytes,
}

use Kind::{AtomicUnits, Bytes, Coins, CoinsByCurrency, Count, Hashrate, Other, Shares, Time};

/// Fields, and endpoints whose answers have no fields, in the order of a table's columns.
static FIELDS: &[(&str, Kind)] = &[
    ("created", Time),
    ("registered", Time),
    ("name", Other),
    ("cc", Other),
    ("amount", Coins),
    ("fee", Coins),
    ("state", Other),
    ("status", Other),
    ("minersCount", Count),
    ("hashrate", Hashrate),
    ("hashrateRank", Count),
    ("lastShare", Time),
    ("good", Shares),
    ("bad", Shares),
    ("invalid", Shares),
    ("goodEq", Count),
    ("badEq", Count),
    ("invalidEq", Count),
    ("unconfirmedBalance", AtomicUnits),
    ("poolBalance", AtomicUnits),
    ("payoutThreshold", Coins),
    ("ppsTotalMined", Coins),
    ("pplnsTotalMined", Coins),
    ("totalMined", Coins),
    ("blocksFound", Count),
    ("lastProfit", Time),
    ("profits", CoinsByCurrency),
    ("balance", CoinsByCurrency),
    ("affiliate_profit", CoinsByCurrency),
    ("timestamp", Time),
    ("height", Count),
    ("difficulty", Count),
    ("instantHashrate", Hashrate),
    ("baseReward", Coins),
    ("reward", Coins),
    ("penalty", Coins),
    ("feeSumm", Coins),
    ("blockSize", Bytes),
    ("sizeMedian", Bytes),
    ("txCumulativeSize", Bytes),
    ("txCount", Count),
    ("cumulativeTxCount", Count),
    ("alreadyGeneratedCoins", Coins),
    ("rewardBlocksWindow", Count),
    ("fullRewardMaxBlockSize", Bytes),
];

/// Fields whose columns come after all others and before unknown fields. If the terminal is too narrow, some of these
/// columns are left out.
static DETAILS: &[(&str, Kind)] = &[
    ("fromUserId", Other),
    ("toUserId", Other),
    ("transactionHash", Other),
    ("address", Other),
    ("comment", Other),
    ("email", Other),
    ("id", Other),
    ("invoiceId", Other),
    ("paymentId", Other),
    ("transactionIdHash", Other),
    ("finished", Time),
    ("expiredDate", Time),
];

/// Larger Unix times are in milliseconds: as seconds they would be after the year 5138, as milliseconds they are after 1973.
const MILLISECONDS: f64 = 1e11;

fn known() -> impl Iterator<Item = &'static (&'static str, Kind)> {
    FIELDS.iter().chain(DETAILS)
}

/// A value with its name in the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    /// The currency of its amount, if it is known.
    pub(super) currency: Option<&'a str>,
    pub(super) json: &'a Json,
}

impl<'a> Field<'a> {
    pub(super) fn new(name: &'a str, currency: Option<&'a str>, json: &'a Json) -> Field<'a> {
        let kind = known().find(|(known, _)| *known == name).map_or(Other, |(_, kind)| *kind);
        Field { name, kind, currency, json }
    }

    /// The fields of an object. The names of the answer's own fields can be currencies.
    pub(super) fn fields(self, is_answer: bool) -> Vec<Field<'a>> {
        let Json::Object(fields) = self.json else { return Vec::new() };
        let own = self.text_of("cc");
        let field = |(key, json): &'a (String, Json)| {
            let by_name = (is_answer && self.currency.is_none() || self.kind == CoinsByCurrency).then_some(&**key);
            let field = Field::new(key, own.or(by_name).or(self.currency), json);
            if self.kind == CoinsByCurrency { Field { kind: Coins, ..field } } else { field }
        };
        fields.iter().map(field).collect()
    }

    /// The text, or the number as it was written, of an object's field.
    pub(super) fn text_of(self, name: &str) -> Option<&'a str> {
        let Json::Object(fields) = self.json else { return None };
        fields.iter().find(|(own, _)| own == name).and_then(|(_, json)| json.text())
    }

    /// The position of its column in a table.
    pub(super) fn place(self) -> usize {
        known().position(|(name, _)| *name == self.name).unwrap_or(usize::MAX)
    }

    /// Whether its column is left out if the terminal is too narrow. Amounts are never left out.
    pub(super) fn is_detail(self) -> bool {
        self.place() >= FIELDS.len() && self.kind != Coins
    }

    pub(super) fn is_number(self) -> bool {
        match self.json {
            Json::Number(_) => self.kind != Time,
            Json::Text(_) => !matches!(self.kind, Other | Time),
            _ => false,
        }
    }

    /// A single value for the user. Amounts have no unit here.
    pub(super) fn text(self, decimals: &Decimals) -> String {
        let given = match self.json {
            Json::Text(text) | Json::Number(text) => text.trim(),
            Json::Word(word) if word == "null" => return "-".to_owned(),
            Json::Word(word) => return word.clone(),
            Json::Object(_) | Json::List(_) => return String::new(),
        };
        let shown = match self.kind {
            Other if matches!(self.json, Json::Number(_)) => Some(super::decimal::plain(given)),
            Other => None,
            _ if !given.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => None,
            Time => local_time(given),
            Coins | CoinsByCurrency => Some(coins(given)),
            AtomicUnits => {
                let known = self.currency.and_then(|code| decimals.of(code));
                atomic_units(given, known).or_else(|| Some(format!("{} atomic units", count(given))))
            }
            Hashrate => si(given, "H/s"),
            Bytes => si(given, "B"),
            Count | Shares => Some(count(given)),
        };
        metric::printable(&shown.unwrap_or_else(|| given.to_owned())).collect()
    }

    /// The same with the unit, or with the percentage.
    pub(super) fn text_with_unit(self, decimals: &Decimals, siblings: &[Field<'_>]) -> String {
        let text = self.text(decimals);
        let code = self.currency.filter(|code| currency::is_valid(code));
        match (self.kind, code) {
            (Coins, Some(code)) => format!("{text} {}", code.to_ascii_uppercase()),
            (AtomicUnits, Some(code)) if decimals.of(code).is_some() => format!("{text} {}", code.to_ascii_uppercase()),
            (Shares, _) => {
                let parts: Vec<_> =
                    siblings.iter().filter(|field| field.kind == Shares).map(|field| field.json.text()).collect();
                let part = self.json.text().and_then(|part| percentage(part, &parts));
                part.map_or_else(|| text.clone(), |part| format!("{text} ({part})"))
            }
            _ => text,
        }
    }
}

/// A Unix time in seconds, from seconds or milliseconds.
pub(super) fn unix_seconds(number: &str) -> Option<f64> {
    let time: f64 = number.trim().parse().ok()?;
    Some(if time.abs() < MILLISECONDS { time } else { time / 1000.0 })
}

/// A Unix time, in seconds or milliseconds, as local time. If the machine has no time zone,
/// it is UTC.
fn local_time(number: &str) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "times are shown to the second")]
    let timestamp = Timestamp::from_second(unix_seconds(number)?.floor() as i64).ok()?;
    Some(timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

#[cfg(test)]
mod tests {
    use minergate::endpoints::ENDPOINTS;
    use serde_json::value::RawValue;

    use super::*;

    /// Calls a function for each single value in an answer.
    fn each(field: Field<'_>, is_answer: bool, found: &mut impl FnMut(Field<'_>)) {
        match field.json {
            Json::Object(_) => field.fields(is_answer).into_iter().for_each(|field| each(field, false, found)),
            Json::List(elements) => {
                for json in elements {
                    each(Field { json, ..field }, false, found);
                }
            }
            _ => found(field),
        }
    }

    #[test]
    fn every_number_of_the_answers_has_a_kind() {
        for endpoint in ENDPOINTS {
            let raw = RawValue::from_string(endpoint.sample.trim().to_owned()).unwrap();
            let json = Json::read(&raw).unwrap();
            each(Field::new(endpoint.name, None, &json), true, &mut |field| {
                let is_number = matches!(field.json, Json::Number(_));
                assert!(!is_number || field.kind != Other, "{} of {} is not in FIELDS", field.name, endpoint.name);
            });
        }
    }
}
