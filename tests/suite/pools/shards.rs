//! Two instances share one configuration with wallets.

use std::collections::BTreeSet;

use super::fake_pool::{FakePool, cryptonote};
use super::{loops, pool, scrape, write};
use crate::process::{daemon, wait};
use crate::scrape::Scrape;

const CURRENCIES: &[&str] = &["xmr", "aeon", "bcn", "dsh", "fcn", "mcn", "qcn", "duck"];

/// Runs two instances until all their loops are up, and scrapes both.
fn run(accounts: &str, pools: &[FakePool]) -> [Scrape; 2] {
    let pools: String = pools
        .iter()
        .zip(CURRENCIES)
        .map(|(fake, code)| {
            pool(code, "cryptonote-nodejs-pool", code, fake, "decimals = 12\nblock_time = \"2m\"\nmax_age = \"1h\"")
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let config = write(directory.path(), &[&pools, accounts]);
    let run = ["1/2", "2/2"].map(|shard| daemon(&config, &["--shard", shard]));
    wait("everything", || {
        let shown = [&run[0].1, &run[1].1].map(|url| scrape(url));
        let heights = shown
            .iter()
            .flat_map(|shown| shown.0.keys())
            .filter(|series| series.starts_with("minergate_network_block_height"));
        let is_all =
            heights.count() == CURRENCIES.len() && shown.iter().all(|shown| loops(shown).iter().all(|(_, is_up)| *is_up));
        is_all.then_some(shown)
    })
}

fn fakes() -> Vec<FakePool> {
    CURRENCIES.iter().map(|_| FakePool::start(cryptonote)).collect()
}

/// The labels of all loops of both instances. Panics if both have the same loop.
fn all_loops(shown: &[Scrape; 2]) -> BTreeSet<String> {
    let [first, second] =
        [&shown[0], &shown[1]].map(|shown| loops(shown).into_iter().map(|(labels, _)| labels).collect::<BTreeSet<_>>());
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
    &first | &second
}

#[test]
fn two_instances_poll_every_wallet_and_every_network_once() {
    let fakes = fakes();
    let account = |i: usize| {
        let code = CURRENCIES[i % CURRENCIES.len()];
        format!("[[accounts]]\nname = \"rig-{i}\"\nwallets = {{ {code} = \"4Abc{i}\" }}\n")
    };
    let accounts: String = (0..20).map(account).collect();
    let shown = run(&accounts, &fakes);
    assert_eq!(all_loops(&shown).len(), 20 * 5 + 2 * CURRENCIES.len());
    for shown in &shown {
        let accounts = shown.0.keys().filter(|series| series.starts_with("minergate_up{")).count();
        assert!((1..20).contains(&accounts), "{accounts}");
    }
    let wallets = (0..20).map(|i| fakes[i % CURRENCIES.len()].count(&format!("/stats_address?address=4Abc{i}&")));
    assert_eq!(wallets.collect::<Vec<_>>(), [1; 20]);
    assert!(
        fakes.iter().all(|fake| fake.count("/stats?") + fake.asked().iter().filter(|one| one.path == "/stats").count() == 1)
    );
}

/// An instance polls its networks also where it has no account with the currency.
#[test]
fn the_networks_of_one_account_are_shared_out_between_instances() {
    let fakes = fakes();
    let wallets: Vec<String> = CURRENCIES.iter().map(|code| format!("{code} = \"4Abc\"")).collect();
    let shown = run(&format!("[[accounts]]\nname = \"rig\"\nwallets = {{ {} }}\n", wallets.join(", ")), &fakes);
    let networks = |shown: &Scrape| loops(shown).iter().filter(|(labels, _)| labels.contains("endpoint=status")).count();
    assert!(shown.iter().all(|shown| networks(shown) > 0), "{:?}", [networks(&shown[0]), networks(&shown[1])]);
    all_loops(&shown);
    assert!(fakes.iter().all(|fake| fake.asked().iter().filter(|one| one.path == "/stats").count() == 1));
}
