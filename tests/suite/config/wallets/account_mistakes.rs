//! A table of mistakes of accounts with wallets, each with its exact message.

use super::{ETC, XMR, read};
use crate::messages::fits;

/// Keys of an account, which follow two pools and so begin at line 13; and the expected message.
const MISTAKES: &[(&str, &str)] = &[
    (
        "wallets = { planted = \"4planted\" }",
        ":13: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallet_files = { supportxnr = \"planted\" }",
        ":13: accounts[1].wallet_files: not the name of a pool; did you mean `supportxmr`? [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallets = { supportxmr = \"4planted\", \"4planted\" = \"supportxmr\" }",
        ":13: accounts[1].wallets: not the name of a pool; [[pools]] has supportxmr, 2miners etc",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nwallet_files = { supportxmr = \"planted\" }",
        ":14: accounts[1].wallet_files.supportxmr: is given together with wallets; give one of them",
    ),
    (
        "wallets = { supportxmr = \"4planted/../other\" }",
        ":13: accounts[1].wallets.supportxmr: holds a character that no address has; give the wallet's address alone, of letters and \
         digits",
    ),
    (
        "wallets = { supportxmr = \"planted@example.com\" }",
        ":13: accounts[1].wallets.supportxmr: holds a character that no address has; give the wallet's address alone, of letters and \
         digits",
    ),
    ("wallets = { supportxmr = \"\" }", ":13: accounts[1].wallets.supportxmr: is empty; give the wallet's address"),
    ("wallets = { supportxmr = \" \\n\" }", ":13: accounts[1].wallets.supportxmr: is empty; give the wallet's address"),
    ("wallets = {}", ":13: accounts[1].wallets: is empty; name a pool of [[pools]] in it, or leave it out"),
    ("wallet_files = {}", ":13: accounts[1].wallet_files: is empty; name a pool of [[pools]] in it, or leave it out"),
    ("wallets = \"4planted\"", ":13: accounts[1].wallets: expected a table, found a text"),
    ("wallets = [\"4planted\"]", ":13: accounts[1].wallets: expected a table, found a list"),
    (
        "wallets = { supportxmr = 12345 }",
        ":13: accounts[1].wallets.supportxmr: expected a string, found a whole number; put it in quotes",
    ),
    ("wallet_files = { supportxmr = [] }", ":13: accounts[1].wallet_files.supportxmr: expected a path, found a list"),
    (
        "wallets = { supportxmr = \"4planted\" }\nendpoints = [\"planted\"]",
        ":14: accounts[1].endpoints[1]: not an endpoint of an account; those are …",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nemail = \"planted@example.com\"",
        ":11: accounts[1].password: no way to log in; give token or token_file, or email with password or password_file, or leave out all of \
         these",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\ntoken = \"planted\"\ntotp_secret = \"GEZDGNBVGY3TQOJQ\"",
        ":15: accounts[1].totp_secret: is not used with a token; leave it out",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[accounts]]\nname = \"rig\"\nwallets = { supportxmr = \"4planted\" }",
        ":15: accounts[2].name: is used twice; every account needs a name of its own",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\nemail = \"e@x\"\npassword = \"planted\"\n[[accounts]]\nname = \"other\"\nemail = \"E@x\"\n\
         password = \"planted\"\nwallets = { supportxmr = \"4planted\" }",
        ":18: accounts[2].email: another account with wallets has the same; the gateway could not distinguish the two",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\ntoken = \"planted\"\n[[accounts]]\nname = \"other\"\ntoken = \"planted\"\n\
         wallets = { supportxmr = \"4planted\" }",
        ":17: accounts[2].token: another account with wallets has the same; the gateway could not distinguish the two",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[accounts]]\nname = \"other\"\ntoken = \"t\"",
        ": api.base_url: missing; give the URL of the API that you use, such as \"https://api.example.com\"; there is no default, since the \
         public host is discontinued",
    ),
    (
        "wallets = { supportxmr = \"4planted\" }\n[[pools]]\nname = \"other\"\nsoftware = \"nodejs-pool\"\nurl = \"https://x.example.com\"\n\
         currency = \"xmr\"\n[[accounts]]\nname = \"two\"\nwallets = { supportxmr = \"4planted\", other = \"4planted\" }",
        ":21: accounts[2].wallets.supportxmr: is of the same currency as another wallet of the account; in one account a currency comes from \
         one pool, so give it an account of its own",
    ),
];

#[test]
fn every_mistake_of_an_account_with_wallets_has_its_message() {
    for (rest, sentence) in MISTAKES {
        let text = format!("{XMR}{ETC}[[accounts]]\nname = \"rig\"\n{rest}\n");
        let error = read(&text, &[]).unwrap_err();
        assert!(fits(&error, &format!("configuration{sentence}")), "{error}\nof\n{text}");
        assert!(!error.contains("planted"), "{error}");
    }
}
