//! No message and no `Debug` output contains an address.

use super::{ETC, XMR, read};

#[test]
fn a_mistake_in_the_environment_names_the_variable_and_no_address() {
    let text = format!("{XMR}[[pools]]\nname = \"a-1\"\n[[pools]]\nname = \"a.1\"\n[[accounts]]\nname = \"rig\"\n");
    for (variable, value, sentence) in [
        (
            "ACCOUNTS__RIG__WALLETS__4PLANTED",
            "supportxmr",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__...: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, a-1, a.1",
        ),
        (
            "ACCOUNTS__RIG__WALLETS__SUPPORTXMR",
            "4planted?",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__SUPPORTXMR: accounts[1].wallets.supportxmr: holds a character",
        ),
        (
            "ACCOUNTS__RIG__WALLETS__A_1",
            "4planted",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS__...: can mean the pools `a-1` and `a.1`; rename one of the two, or give the key in the \
             file",
        ),
        (
            "ACCOUNTS__RIG__WALLETS",
            "4planted",
            "MINERGATE_EXPORTER__ACCOUNTS__RIG__WALLETS: accounts[1].wallets: expected a table, found a text",
        ),
        (
            "POOLS__A_1__URL",
            "planted",
            "MINERGATE_EXPORTER__POOLS__A_1__URL: can mean pools[2] (`a-1`) and pools[3] (`a.1`); rename one of the two, or give the key in the \
             file",
        ),
        ("POOLS__SUPPORTXMR__URL", "planted", "MINERGATE_EXPORTER__POOLS__SUPPORTXMR__URL: pools[1].url: not a URL"),
        (
            "POOLS__SUPPORTXMR__PLANTED",
            "x",
            "MINERGATE_EXPORTER__POOLS__SUPPORTXMR__...: pools[1]: unknown key; known are name,",
        ),
        (
            "POOLS__SUPPORTXMR",
            "planted",
            "MINERGATE_EXPORTER__POOLS__...: names no key of a pool; give one key in each variable, such as",
        ),
        ("POOLS__4PLANTED00112233445566778899__URL", "planted", "MINERGATE_EXPORTER__POOLS__...: pools[4].url: not a URL"),
        (
            "ACCOUNTS__4PLANTED00112233445566778899__WALLETS__SUPPORTXMR",
            "4planted?",
            "MINERGATE_EXPORTER__ACCOUNTS__...: accounts[2].wallets.supportxmr: holds a character",
        ),
        ("POOLS", "planted", "MINERGATE_EXPORTER__POOLS: names no key of a pool; give one key in each variable, such as"),
    ] {
        let error = read(&text, &[(variable, value)]).unwrap_err();
        assert!(error.lines().any(|line| line.trim().starts_with(sentence)), "{error}\n{sentence}");
        assert!(!error.to_lowercase().contains("planted"), "{error}");
    }
}

#[test]
fn an_address_does_not_print_itself() {
    let text = format!(
        "{XMR}{ETC}[[accounts]]\nname = \"rig\"\nwallets = {{ supportxmr = \"4planted\" }}\nwallet_files = {{ \"2miners etc\" = \"/planted\" }}\n\
         email = \"planted@example.com\"\npassword_file = \"planted\"\n"
    );
    let config = read(&text, &[]).unwrap();
    let printed = format!("{config:?} {config:#?}");
    assert!(printed.contains("WalletConfig") && !printed.contains("planted"), "{printed}");
}
