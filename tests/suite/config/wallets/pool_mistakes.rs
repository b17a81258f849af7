//! Tables of mistakes of pools, each with its exact message.

use super::{XMR, read};
use crate::messages::fits;

/// A key of a pool, a wrong value for it, and the expected message. All other keys are right.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("software", "\"nodejs-pol\"", "not known; did you mean `nodejs-pool`? give one of @softwares"),
    ("software", "\"planted\"", "not known; give one of @softwares"),
    ("software", "\"\"", "missing; give one of @softwares"),
    ("url", "\"planted.example.com/api\"", "not a URL (…); give one such as \"https://api.example.com\""),
    ("url", "\"https:///\"", "not a URL (…); give one such as \"https://api.example.com\""),
    ("url", "\"ftp://planted.example.com\"", "not the URL of a web server; give one such as \"https://api.example.com\""),
    (
        "url",
        "\"https://planted@example.com\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/api?address=planted\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/#planted\"",
        "a base URL has no user, password, query or fragment; give one such as \"https://api.example.com\"",
    ),
    (
        "url",
        "\"https://example.com/miner/4planted1111111111111111111111111/stats\"",
        "holds what looks like a wallet's address; give the URL of the pool's API alone",
    ),
    ("url", "\"\"", "missing; give the URL of the pool's API, such as \"https://supportxmr.com/api\""),
    ("currency", "\"XMR\"", "a currency's code is in small letters; give \"xmr\""),
    ("currency", "\"the planted\"", "can't be a currency's code; give 1 to 16 of a-z, 0-9, _ and -, such as \"xmr\""),
    ("decimals", "40", "out of range; give 0 to 36"),
    ("decimals", "-1", "out of range; give 0 to 36"),
    ("block_time", "\"0s\"", "out of range; give more than \"0s\" and at most \"1d\""),
    ("block_time", "\"2d\"", "out of range; give more than \"0s\" and at most \"1d\""),
    (
        "block_time",
        "120",
        "a duration needs a unit; write a number with its unit, such as \"30s\", \"5m\", \"1h\" or \"7d\"",
    ),
    ("requests_per_second", "0", "out of range; give 0.001 to 100000"),
    ("requests_per_second", "nan", "out of range; give 0.001 to 100000"),
    ("burst", "0.5", "out of range; give 1 to 100000"),
    ("concurrency", "0", "out of range; give 1 to 10000"),
    ("timeout", "\"0s\"", "must not be 0; give \"10s\" or so"),
    ("max_age", "\"0s\"", "out of range; give \"1s\" to \"1h\""),
    ("max_age", "\"2h\"", "out of range; give \"1s\" to \"1h\""),
    (
        "name",
        "\"Token-file\"",
        "ends as a key of accounts does, and variables could not distinguish the two; give another name",
    ),
    (
        "name",
        "\"my--token\"",
        "ends as a key of accounts does, and variables could not distinguish the two; give another name",
    ),
    ("name", "\"-token\"", "ends as a key of accounts does, and variables could not distinguish the two; give another name"),
    ("name", "\"\"", "missing; every pool needs a name, by which the accounts' wallets name it"),
    ("name", "\"planted@example.com\"", "looks like an e-mail address, and would appear on every page; give another name"),
    ("name", "\" planted\"", "give 1 to 64 printable characters without spaces around them"),
    (
        "name",
        "\"4planted111111111111111111111\"",
        "looks like a wallet's address, and would appear on every page; give another name",
    ),
];

#[test]
fn every_mistake_of_a_pool_has_its_message() {
    let softwares = minergate_pools::SOFTWARES.iter().map(|software| software.name).collect::<Vec<_>>().join(", ");
    for (key, value, sentence) in MISTAKES {
        // A key that the pool has is replaced; another key is added.
        let (mut line, mut pool) = (6, XMR.to_owned());
        match XMR.lines().position(|line| line.starts_with(key)) {
            Some(place) => {
                line = place + 1;
                pool = XMR.replace(XMR.lines().nth(place).unwrap(), &format!("{key} = {value}"));
            }
            None => pool = format!("{pool}{key} = {value}\n"),
        }
        let sentence = format!("configuration:{line}: pools[1].{key}: {}", sentence.replace("@softwares", &softwares));
        let error =
            read(&format!("{pool}[[accounts]]\nname = \"rig\"\nwallets = {{ x = \"4planted\" }}\n"), &[]).unwrap_err();
        let first = error.lines().next().unwrap();
        assert!(fits(first, &sentence), "{error}\n{sentence}");
        assert!(!error.contains("planted"), "{error}");
    }
}

#[test]
fn a_pool_that_lacks_something_gets_a_message_with_the_key_to_set() {
    let rig = "[[accounts]]\nname = \"rig\"\nwallets = { supportxmr = \"4planted\" }\n";
    for (text, sentence) in [
        (
            format!("[[pools]]\nname = \"supportxmr\"\n{rig}"),
            ":1: pools[1].software: missing; give one of nodejs-pool, cryptonote-nodejs-pool, open-ethereum-pool\n       \
             configuration:1: pools[1].url: missing; give the URL of the pool's API, such as \"https://supportxmr.com/api\"\n       \
             configuration:1: pools[1].currency: missing; give the code of the currency that is mined there, such as \"xmr\"",
        ),
        (
            format!("{}{rig}", XMR.replace("xmr\"\n", "newcoin\"\n").replace("supportnewcoin", "supportxmr")),
            ":1: pools[1].decimals: missing, and not known of this currency; give those of its smallest unit, such as 12\n       \
             configuration:1: pools[1].block_time: missing, and not known of this currency; give the average from block to block, such as \"2m\"",
        ),
        (format!("{XMR}{XMR}{rig}"), ":7: pools[2].name: is used twice; every pool needs a name of its own"),
        (
            rig.to_owned(),
            ":3: accounts[1].wallets: names a pool, and there are none; add it to [[pools]] with name, software, url and currency",
        ),
        (
            format!(
                "{XMR}[[accounts]]\nname = \"4planted111111111111111111111\"\nwallets = {{ supportxmr = \"4planted\" }}\n"
            ),
            ":7: accounts[1].name: looks like a wallet's address, and would appear on every page; give another name",
        ),
        (
            format!("currencies = [\"xmr\", \"bcn\"]\n{XMR}{rig}"),
            ":1: currencies: no pool of [[pools]] has one of them; add a pool for it, or give api.base_url",
        ),
        (format!("max_workers = 50001\n{XMR}{rig}"), ":1: max_workers: out of range; give 0 to 50000"),
        (
            XMR.to_owned(),
            ": nothing to poll; give [[accounts]] or currencies, with --config.file or in the environment, or try the demo",
        ),
    ] {
        let error = read(&text, &[]).unwrap_err();
        assert_eq!(error, format!("configuration{sentence}"), "of\n{text}");
    }
    // `decimals` of the currency are enough.
    let newcoin = format!("{}block_time = \"1m\"\n{rig}", XMR.replace("currency = \"xmr\"", "currency = \"newcoin\""));
    assert_eq!(read(&format!("decimals = {{ newcoin = 3 }}\n{newcoin}"), &[]).unwrap().pools[0].decimals, 3);
}
