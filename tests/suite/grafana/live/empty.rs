//! Queries without data: each is in a table with the reason.

use std::collections::BTreeSet;

use crate::grafana::dashboard::{Dashboard, Query, dashboards};
use crate::grafana::world::World;

/// Queries without data in a world whose exporter is healthy: the beginning of a place, the worlds, and the reason.
const EMPTY: &[(&str, &[&str], &str)] = &[
    ("Account / Workers by name", &["healthy", "faulty"], "MinerGate's API names no workers"),
    ("Overview / Accounts mining / B", &["healthy", "faulty", "wallets"], "the accounts are known"),
    ("Exporter / Version / B", &["healthy", "faulty", "wallets"], "the version is known"),
    ("Account / Nickname / B", &["healthy", "wallets"], "the nickname is known"),
    ("Account / Mined per day, $currency / B", &["healthy", "faulty"], "this pool says how shares are paid"),
    ("Account / Logins blocked", &["healthy", "wallets"], "no login is blocked"),
    ("Exporter / Blocked logins", &["healthy", "wallets"], "no login is blocked"),
    ("Exporter / Failing endpoints, one by one", &["healthy", "wallets"], "no endpoint fails"),
    ("Exporter / Errors by kind", &["healthy", "wallets"], "there are no errors"),
    ("Exporter / Polls not sent", &["healthy", "wallets"], "no host asks for a pause"),
    ("Exporter / Corrected counters", &["healthy", "faulty", "wallets"], "no total falls"),
    ("Exporter / Samples left out", &["healthy", "faulty", "wallets"], "everything fits"),
    ("Overview / Needs attention", &["healthy"], "nothing is wrong"),
    ("Account / Affiliate", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Newest affiliate", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Last profit", &["wallets"], "a pool says nothing of affiliates"),
    ("Account / Invoices", &["wallets"], "a pool has no invoices"),
    ("Account / Transfers", &["wallets"], "a pool has no transfers"),
    ("Account / Newest transfers", &["wallets"], "a pool has no transfers"),
    ("Account / What waits", &["wallets"], "a pool says nothing of pending payouts"),
    ("Account / Payouts / C", &["wallets"], "a pool says no fees"),
    ("Account / Payment models", &["wallets"], "a pool says no payment models"),
    ("Account / Age of", &["wallets"], "a pool has no tokens and does not say when it made its statistics"),
    ("Account / Login / A", &["wallets"], "a wallet has no login"),
    ("Account / Logins / A", &["wallets"], "a wallet has no login"),
    ("Exporter / Logins / A", &["wallets"], "a wallet has no login"),
    ("Exporter / Logins blocked", &["wallets"], "a wallet has no login"),
    ("Exporter / Tokens", &["wallets"], "a wallet has no login"),
    ("Account / Best rank", &["wallets"], "this pool has no ranks"),
    ("Account / Rank", &["wallets"], "this pool has no ranks"),
    ("Account / Hashrate lost in rejected shares", &["wallets"], "this pool weighs good shares only"),
    ("Account / Blocks found per day", &["wallets"], "this pool does not count blocks"),
    ("Account / Totals by currency", &["wallets"], "this pool counts nothing since the account began"),
    ("Account / Earnings by currency / F", &["wallets"], "a pool's balances are confirmed"),
    ("Overview / Earnings by currency / F", &["wallets"], "a pool's balances are confirmed"),
    ("Overview / Earnings by currency / H", &["wallets"], "a pool says nothing of pending payouts"),
    ("Account / Earnings by currency / A", &["wallets"], "a pool does not count what was mined"),
    ("Account / Earnings by currency / B", &["wallets"], "what is expected is held against what was mined"),
    ("Account / Earnings by currency / C", &["wallets"], "luck needs what was mined"),
    ("Overview / Earnings by currency / A", &["wallets"], "a pool does not count what was mined"),
    ("Overview / Earnings by currency / B", &["wallets"], "what is expected is held against what was mined"),
    ("Overview / Earnings by currency / C", &["wallets"], "luck needs what was mined"),
    ("Account / Mined", &["wallets"], "a pool does not count what was mined"),
    ("Account / Luck", &["wallets"], "luck needs what was mined"),
    ("Overview / Mined", &["wallets"], "a pool does not count what was mined"),
    ("Overview / Luck", &["wallets"], "luck needs what was mined"),
    ("Overview / Accounts / E", &["wallets"], "luck needs what was mined"),
    ("Network and profit / Currencies by profit / E", &["wallets"], "a pool does not count what was mined"),
    ("Network and profit / What the accounts' hashrate is worth / D", &["wallets"], "a pool does not count what was mined"),
    ("Network and profit / What the accounts' hashrate is worth / E", &["wallets"], "luck needs what was mined"),
    ("Network and profit / Last block / B", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / C", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / D", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / E", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Last block / G", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Size of the last block", &["wallets"], "a pool says little of a block"),
    ("Network and profit / Transactions", &["wallets"], "a pool says little of a block"),
    ("Network and profit / The ten strongest", &["wallets"], "this pool names no strongest miners"),
];

/// Queries whose data comes and goes in the simulated pool.
const NOW_AND_THEN: &[(&str, &str)] = &[
    ("Exporter / Pause", "a pause lasts two seconds"),
    ("Account / What waits", "a payout is pending for two minutes, and not every account has an invoice"),
    ("Overview / Earnings by currency / H", "a payout is pending for two minutes"),
    ("Account / Next payout in", "the currency may have no threshold"),
    ("Account / Balance of the threshold", "the currency may have no threshold"),
    ("Account / Earnings by currency / G", "the currency may have no threshold"),
    ("Overview / Earnings by currency / G", "the currency may have no threshold"),
    ("Overview / Accounts / G", "the currency may have no threshold"),
    ("Overview / Next payouts", "the currency may have no threshold"),
];

/// The places of queries without data.
fn empty(world: &World, accounts: &[&str]) -> BTreeSet<String> {
    let of_one = |dashboard: &Dashboard| {
        let accounts = if dashboard.title().ends_with("Account") { accounts } else { &[".+"] };
        let empty = dashboard
            .queries()
            .into_iter()
            .filter(|query| accounts.iter().all(|account| world.run(dashboard, query, &[("account", account)]).is_empty()));
        empty.map(|query| short(&query)).collect::<Vec<_>>()
    };
    dashboards().iter().flat_map(of_one).collect()
}

/// Every query has data, except those of the tables.
pub(super) fn has_data_where_there_is_something_to_show(world: &World, name: &str, accounts: &[&str]) {
    let is = |place: &String, beginning: &str| place.starts_with(beginning);
    let comes_and_goes = |place: &String| NOW_AND_THEN.iter().any(|(beginning, _)| is(place, beginning));
    let empty = empty(world, accounts);
    let all: BTreeSet<String> = dashboards().iter().flat_map(Dashboard::queries).map(|query| short(&query)).collect();
    let expected = EMPTY.iter().filter(|(_, worlds, _)| worlds.contains(&name));
    let expected: BTreeSet<String> =
        expected.flat_map(|(beginning, ..)| all.iter().filter(|place| is(place, beginning))).cloned().collect();
    let wrong: Vec<_> = empty.symmetric_difference(&expected).filter(|place| !comes_and_goes(place)).collect();
    assert!(wrong.is_empty(), "{name}: without data, or with data though the table has a reason for none: {wrong:#?}");
}

/// A query's place without the part that all places have.
pub(super) fn short(query: &Query) -> String {
    query.place().strip_prefix("MinerGate / ").unwrap().to_owned()
}

#[test]
fn every_entry_of_the_tables_of_empty_queries_matches_a_query() {
    let all: Vec<String> = dashboards().iter().flat_map(Dashboard::queries).map(|query| short(&query)).collect();
    for beginning in EMPTY.iter().map(|(beginning, ..)| beginning).chain(NOW_AND_THEN.iter().map(|(beginning, _)| beginning))
    {
        assert!(all.iter().any(|place| place.starts_with(beginning)), "{beginning}");
    }
}
