//! Pools, wallets and the accounts beside them, as they are understood.

use std::time::Duration;

use minergate::api::Credentials;

use super::{ETC, XMR, expected, is, read, wallets};

#[test]
fn wallets_are_in_the_order_of_accounts_and_pools_and_need_no_api() {
    let text = format!(
        "max_workers = 7\n{XMR}{ETC}decimals = 10\nblock_time = \"15s\"\nrequests_per_second = 0.5\nburst = 2\nconcurrency = 1\n\
         timeout = \"3s\"\nmax_age = \"1m\"\n\
         [[accounts]]\nname = \"b\"\nwallet_files = {{ \"2miners etc\" = \"b-address\" }}\nwallets = {{ supportxmr = \" 4Abc\\n\" }}\n\
         endpoints = [\"workers\"]\nemail = \"b@example.com\"\npassword = \"p\"\n\
         [[accounts]]\nname = \"a\"\nwallets = {{ supportxmr = \"4Def\" }}\n"
    );
    let config = read(&text, &[]).unwrap();
    let all = [["b", "supportxmr", "4Abc"], ["b", "2miners etc", "b-address"], ["a", "supportxmr", "4Def"]];
    assert_eq!(wallets(&config), expected(&all));
    assert_eq!(config.wallets[1].endpoints.as_deref(), Some(&["workers".to_owned()][..]));
    assert!(config.wallets[2].endpoints.is_none() && config.api.is_none() && config.accounts.is_empty());
    assert!(config.plan.accounts.is_empty() && !config.plan.api);
    assert_eq!(config.plan.reading.max_workers, 7);
    let [(name, Credentials::Password { email, password, totp: None })] = &config.logins[..] else {
        panic!("{:?}", config.logins)
    };
    assert_eq!((&**name, email.as_str(), is(password, "p")), ("b", "b@example.com", true));
    assert_eq!(config.account_names().iter().map(|name| &***name).collect::<Vec<_>>(), ["b", "a"]);

    let [xmr, etc] = &config.pools[..] else { panic!("{:?}", config.pools) };
    assert_eq!((&*xmr.name, xmr.software.name, &*xmr.currency, xmr.decimals), ("supportxmr", "nodejs-pool", "xmr", 12));
    assert_eq!((xmr.block_time, xmr.max_age), (Duration::from_secs(120), Duration::from_secs(30)));
    let http = &xmr.http;
    assert_eq!(http.base_url.as_str(), "https://pool.example.com/api");
    assert_eq!((http.requests_per_second, http.burst(), http.concurrency, http.timeout.as_secs()), (1.0, 5.0, 4, 10));
    assert_eq!((etc.decimals, etc.block_time, etc.max_age), (10, Duration::from_secs(15), Duration::from_secs(60)));
    let http = &etc.http;
    assert_eq!((http.requests_per_second, http.burst(), http.concurrency, http.timeout.as_secs()), (0.5, 2.0, 1, 3));
    assert!(http.user_agent.starts_with("minergate-exporter/"), "{}", http.user_agent);
}

#[test]
fn one_configuration_can_have_accounts_at_the_api_and_with_wallets() {
    let text = format!(
        "currencies = [\"xmr\", \"bcn\"]\n[api]\nbase_url = \"http://127.0.0.1:1\"\n{XMR}[[accounts]]\nname = \"a\"\ntoken = \"t\"\n\
         [[accounts]]\nname = \"b\"\ntoken = \"u\"\nwallets = {{ supportxmr = \"4Abc\" }}\n"
    );
    let config = read(&text, &[]).unwrap();
    assert_eq!((config.accounts.len(), config.plan.accounts.len(), config.logins.len()), (1, 1, 1));
    assert_eq!((&**config.accounts[0].name(), &*config.wallets[0].account, &*config.logins[0].0), ("a", "b", "b"));
    assert_eq!((config.pool_of("xmr"), config.pool_of("bcn")), (Some(0), None));
    assert!(config.plan.pool && config.api.is_some());
}

#[test]
fn a_wallet_belongs_to_the_shard_of_its_account() {
    let account = |i| format!("[[accounts]]\nname = \"rig-{i}\"\nwallets = {{ supportxmr = \"4Abc\" }}\n");
    let accounts: String = (0..20).map(account).collect();
    let own = |shard: &str| -> Vec<String> {
        let config = read(&format!("shard = \"{shard}\"\n{XMR}{accounts}"), &[]).unwrap();
        assert_eq!(config.wallets.len(), 20, "the gateway serves all accounts");
        config.own_wallets().map(|wallet| wallet.account.to_string()).collect()
    };
    let [mut first, second] = [own("1/2"), own("2/2")];
    assert!(!first.is_empty() && !second.is_empty());
    first.extend(second);
    first.sort();
    first.dedup();
    assert_eq!(first.len(), 20);
}
