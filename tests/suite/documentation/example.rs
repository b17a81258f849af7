//! Examples of configurations and calculations in pages.

use minergate::endpoints::ENDPOINTS;
use minergate_exporter::config::{Config, Sources};

use crate::repository::{fenced, read};

fn load(text: &str) -> Config {
    Config::load(Sources { text: Some(text), ..Sources::default() }).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_examples_with_wallets_can_be_loaded() {
    let [readme] = fenced(&read("README.md"), "toml").try_into().unwrap();
    let [pool, gateway] = fenced(&read("docs/pools.md"), "toml").try_into().unwrap();
    let (pools, _) = pool.split_once("[[accounts]]").unwrap();
    for text in [readme, pool.clone(), format!("{pools}{gateway}")] {
        let config = load(&text);
        assert_eq!((config.pools.len(), config.wallets.len()), (1, 1), "{text}");
    }
    // The lines that are comments in the pages.
    let uncommented = |text: &str, key: &str| text.replace(&format!("# {key}"), key);
    load(&uncommented(&pool, "wallet_files").replace("\nwallets", "\n# wallets"));
    load(&format!("{pools}{}", uncommented(&gateway, "token_file").replace("\npassword_file", "\n# password_file")));
}

/// docs/scaling.md adds up the requests of an account.
#[test]
fn the_requests_of_an_account_are_those_of_its_intervals() {
    let a_second: f64 = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.is_of_account())
        .map(|endpoint| 1.0 / endpoint.interval.as_secs_f64())
        .sum();
    let page = read("docs/scaling.md");
    assert!(page.contains(&format!("=  {a_second:.3}\n")), "{a_second}");
    for accounts in [1_000.0, 100_000.0] {
        let text = format!("{:.0}", a_second * accounts);
        let shown = if text.len() > 3 { format!("{},{}", &text[..text.len() - 3], &text[text.len() - 3..]) } else { text };
        assert!(page.contains(&format!("| {shown} |")), "docs/scaling.md lacks {shown} requests a second");
    }
}
