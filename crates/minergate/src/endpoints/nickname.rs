//! `GET /1.0/profile/nickname`: the account's nickname.

use std::time::Duration;

use super::{Scope, Spec};
use crate::metric::info;

/// The answer; nothing where the user chose none.
pub type Nickname = Option<String>;

pub static SPEC: Spec<Nickname> = Spec {
    name: "nickname",
    path: "/1.0/profile/nickname",
    part: None,
    former_path: None,
    scope: Scope::Account,
    interval: Duration::from_secs(3600),
    sample: include_str!("nickname.json"),
    metrics: &[info("account", "The account's nickname")
        .labels(&["nickname"])
        .field("the text")
        .read(|nickname, out| out.put_all(nickname.iter().map(|nickname| ([nickname.as_str()], 1.0))))],
};
