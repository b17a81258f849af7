//! The JSON of the answers: made from the simulated world, or the documented sample.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::coin::{self, COINS, Coin};
use super::mine::{LISTED_WITHDRAWALS, Mine};
use super::network::{self, Block};
use super::world::World;
use minergate::currency::{self, CURRENCIES};
use minergate_server::{Error, ReadRequest};

/// The documented answers for one currency of a list: endpoint, currency, answer. Their entries are not in the documented lists.
static DOCUMENTED_PARTS: &[(&str, &str, &str)] = &[
    ("transfers", "xdn", include_str!("documented/transfers_xdn.json")),
    ("withdrawals", "xdn", include_str!("documented/withdrawals_xdn.json")),
];

/// The answer at a time in Unix seconds.
pub(super) fn simulated(world: &World, read: &ReadRequest, now: f64) -> Result<String, Error> {
    let whole = match whole(world, read, now).ok_or(Error::NotFound)? {
        Value::Null => read.endpoint.sample.to_owned(),
        value => value.to_string(),
    };
    read.select(whole, |code| coin::find(code).is_some())
}

/// The documented answer.
pub(super) fn documented(read: &ReadRequest) -> Result<String, Error> {
    let is_asked = |(endpoint, code): (&str, &str)| {
        read.part.is_some() && endpoint == read.endpoint.name && Some(code) == read.argument.as_deref()
    };
    if let Some((.., part)) = DOCUMENTED_PARTS.iter().find(|(endpoint, code, _)| is_asked((endpoint, code))) {
        return Ok((*part).to_owned());
    }
    read.select(read.endpoint.sample.to_owned(), currency::is_valid)
}

/// The whole answer; `None` for an endpoint that is not simulated, or an unknown currency.
fn whole(world: &World, read: &ReadRequest, now: f64) -> Option<Value> {
    let user = read.account.map(|account| account as u64);
    Some(match (read.endpoint.name, user) {
        ("workers", Some(user)) => by_currency(&world.mines(user), |mine| workers(mine, now)),
        ("mining_stats", Some(user)) => mining_stats(world, user, now),
        ("balance", Some(user)) => balance(&world.mines(user), now),
        ("transfers", Some(user)) => json!(world.transfers(user, now)),
        ("withdrawals", Some(user)) => withdrawals(world, user, now),
        ("invoices", Some(user)) => json!(world.invoices(user, now)),
        ("affiliate_links", Some(user)) => world.links(user).into_iter().collect(),
        ("affiliate_childrens", Some(user)) => affiliate_childrens(world, user, now),
        ("affiliate_profit", Some(user)) => affiliate_profit(world, user, now),
        ("nickname", Some(user)) => json!(format!("pickaxe-{}", user + 1)),
        ("profit_rating", _) => json!(network::profit_rating(world.seed, now)),
        ("top_hashrate", _) => {
            COINS.iter().map(|coin| (coin.code, json!(network::strongest(world.seed, coin, now)))).collect()
        }
        ("status", _) => json!(Block::last(world.seed, coin::find(read.argument.as_deref()?)?, now)),
        _ => Value::Null,
    })
}

fn by_currency(mines: &[Mine], value: impl Fn(&Mine) -> Value) -> Value {
    mines.iter().map(|mine| (mine.coin.code, value(mine))).collect()
}

/// All coins of the pool, including those that the account never mined.
fn balance(mines: &[Mine], now: f64) -> Value {
    let coins = |coin: &Coin| mines.iter().find(|mine| mine.coin.code == coin.code).map_or(0.0, |mine| mine.balance(now));
    COINS.iter().map(|coin| (coin.code, coin.decimal_string(coins(coin)))).collect()
}

fn workers(mine: &Mine, now: f64) -> Value {
    json!({ "minersCount": mine.workers(now), "hashrate": mine.hashrate(now), "hashrateRank": mine.rank(now) })
}

fn mining_stats(world: &World, user: u64, now: f64) -> Value {
    let model = |code: &str| if world.seed.of("model").of(code).unit() < 0.2 { "pplns" } else { "pps" };
    let mut answer = by_currency(&world.mines(user), |mine| {
        let (present, former) = mine.mined_by_model(now);
        let (pps, pplns) = if model(mine.coin.code) == "pps" { (present, former) } else { (former, present) };
        json!({
            "unconfirmedBalance": mine.unconfirmed(now),
            // Strings here and numbers in `workers`, as in the documented answers.
            "minersCount": mine.workers(now).to_string(),
            "hashrate": mine.hashrate(now).to_string(),
            "hashrateRank": mine.rank(now),
            "minerOnline": true,
            "shares": mine.shares(now),
            "ppsTotalMined": pps,
            "pplnsTotalMined": pplns,
            "blocksFound": mine.blocks_found(now),
            "totalMined": pps + pplns,
        })
    });
    answer["paymentModels"] = CURRENCIES.iter().map(|(code, ..)| (*code, model(code))).collect();
    answer["timestamp"] = super::noise::whole(now * 1000.0).into();
    answer
}

fn withdrawals(world: &World, user: u64, now: f64) -> Value {
    let mut withdrawals: Vec<_> =
        world.mines(user).iter().flat_map(|mine| mine.withdrawals(now).collect::<Vec<_>>()).collect();
    withdrawals.sort_by(|a, b| b.created.total_cmp(&a.created));
    withdrawals.truncate(usize::try_from(LISTED_WITHDRAWALS).unwrap_or(usize::MAX));
    json!(withdrawals)
}

fn affiliate_childrens(world: &World, user: u64, now: f64) -> Value {
    let children = world.children(user, now).into_iter().map(|child| {
        let mut answer = json!({ "registered": child.registered, "token": child.token });
        if let Some(time) = child.last_profit {
            answer["lastProfit"] = time.into();
            answer["profits"] = child.profits(now).collect();
        }
        (child.email, answer)
    });
    Value::Object(children.collect::<Map<_, _>>())
}

fn affiliate_profit(world: &World, user: u64, now: f64) -> Value {
    let mut sums = BTreeMap::<&str, f64>::new();
    for child in &world.children(user, now) {
        for (code, coins) in child.profits(now) {
            *sums.entry(code).or_default() += coins;
        }
    }
    json!(sums)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use minergate::endpoints::{ENDPOINTS, Endpoint, Scope};
    use minergate::metric::{Context, Family, Kind, Samples};

    use super::*;
    use crate::noise::{Seed, real};
    use crate::{EPOCH, world};

    const START: f64 = EPOCH + 6.1e7;
    const USER: u64 = 0;

    fn read(endpoint: &'static Endpoint, currency: &str) -> ReadRequest {
        let argument = (endpoint.scope == Scope::Network).then(|| currency.to_owned());
        ReadRequest { endpoint, part: None, argument, account: (endpoint.scope == Scope::Account).then_some(0) }
    }

    fn answer(world: &World, endpoint: &'static Endpoint, currency: &str, now: f64) -> String {
        simulated(world, &read(endpoint, currency), now).unwrap()
    }

    fn worlds() -> impl Iterator<Item = World> {
        (1..=3).map(|seed| World { seed: Seed::new(seed), users: 3 })
    }

    fn samples(endpoint: &Endpoint, answer: &str) -> Samples {
        let email = world::email(USER);
        let request = Context { email: Some(&email), ..Context::default() };
        endpoint.read(answer.as_bytes(), &request).unwrap()
    }

    #[test]
    fn the_same_seed_and_time_give_the_same_answers_and_others_differ() {
        for endpoint in ENDPOINTS {
            let ask = |seed, now| answer(&World { seed: Seed::new(seed), users: 3 }, endpoint, "xmr", now);
            assert_eq!(ask(1, START), ask(1, START), "{}", endpoint.name);
            if ask(1, START) == endpoint.sample {
                continue;
            }
            if endpoint.name != "nickname" {
                assert_ne!(ask(1, START), ask(2, START), "{}", endpoint.name);
            }
            let constant = matches!(endpoint.name, "nickname" | "affiliate_links");
            assert_eq!(ask(1, START) == ask(1, START + 1e6), constant, "{}", endpoint.name);
        }
    }

    /// Families for values that the API does not have: single workers and payout thresholds.
    fn is_of_other_pools(family: &Family) -> bool {
        family.stem.starts_with("worker_") || family.stem == "mining_payout_threshold"
    }

    #[test]
    fn every_answer_is_read_and_every_family_filled() {
        for world in worlds() {
            let mut filled = BTreeSet::new();
            for (hour, endpoint) in (0..48).flat_map(|hour| ENDPOINTS.iter().map(move |endpoint| (hour, endpoint))) {
                for coin in COINS.iter().take(if endpoint.scope == Scope::Network { usize::MAX } else { 1 }) {
                    // The steps are not whole minutes, so that states that last only a few minutes are seen too.
                    let now = START + 613.0 * real(hour);
                    let samples = samples(endpoint, &answer(&world, endpoint, coin.code, now));
                    assert_eq!(samples.dropped, 0, "{}", endpoint.name);
                    let nonempty = samples.families().filter_map(|(family, mut series)| series.next().and(Some(family)));
                    filled.extend(nonempty.map(Family::sample_name));
                }
            }
            for family in ENDPOINTS.iter().flat_map(Endpoint::families) {
                let name = family.name() + family.suffix();
                assert_eq!(filled.contains(&name), !is_of_other_pools(family), "{name}");
            }
        }
    }

    #[test]
    fn counters_never_decrease() {
        for world in worlds() {
            let mut last = BTreeMap::new();
            for endpoint in ENDPOINTS.iter().filter(|e| e.families().any(|family| family.kind == Kind::Counter)) {
                for coin in COINS.iter().take(if endpoint.scope == Scope::Network { usize::MAX } else { 1 }) {
                    for step in 0..400 {
                        let now = START + 1.7 * real(step * step);
                        let samples = samples(endpoint, &answer(&world, endpoint, coin.code, now));
                        let rising = |family: &Family| family.kind == Kind::Counter || family.stem == "network_block_height";
                        for (family, series) in samples.families().filter(|(family, _)| rising(family)) {
                            for series in series {
                                let key = (family.name(), coin.code, series.labels.to_owned());
                                let before = last.insert(key, series.value).unwrap_or(0.0);
                                assert!(series.value >= before, "{} {:?}", family.name(), series.labels);
                            }
                        }
                    }
                }
            }
            let seen: BTreeSet<_> = last.keys().map(|(name, ..)| name.clone()).collect();
            for family in ENDPOINTS.iter().flat_map(Endpoint::families).filter(|family| family.kind == Kind::Counter) {
                assert_eq!(seen.contains(&family.name()), !is_of_other_pools(family), "{}", family.name());
            }
        }
    }

    #[test]
    fn a_part_has_the_matching_entries_of_the_whole_answer() {
        let world = worlds().next().unwrap();
        let find = |name| minergate::endpoints::find(name).unwrap();
        for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.part.is_some()) {
            let whole = answer(&world, endpoint, "", START);
            let entries: Vec<Value> = serde_json::from_str(&whole).unwrap();
            let part = |argument: &str| {
                let read = ReadRequest { part: endpoint.part, argument: Some(argument.to_owned()), ..read(endpoint, "") };
                simulated(&world, &read, START).map(|text| serde_json::from_str::<Value>(&text).unwrap())
            };
            assert!(part("nothing").is_err());
            if endpoint.name == "invoices" {
                assert_eq!(part(entries[1]["invoiceId"].as_str().unwrap()).unwrap(), entries[1]);
            } else {
                let code = entries[0]["cc"].as_str().unwrap();
                let expected: Vec<_> = entries.iter().filter(|entry| entry["cc"] == code).collect();
                let expected = json!(expected).to_string().replace("transactionIdHash", "transactionId");
                assert_eq!(part(code).unwrap().to_string(), expected);
                assert_eq!(part("btc").unwrap(), json!([]));
            }
        }
        assert!(simulated(&world, &read(find("status"), "nothing"), START).is_err());
    }

    #[test]
    fn any_time_has_answers() {
        for now in [0.0, -1e12, f64::NAN, EPOCH, 1e12] {
            for endpoint in ENDPOINTS {
                assert!(simulated(&worlds().next().unwrap(), &read(endpoint, "xmr"), now).is_ok(), "{}", endpoint.name);
            }
        }
    }
}
