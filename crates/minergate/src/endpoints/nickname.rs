//! `GET /1.0/profile/nickname`: the account's nickname.

use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::FromJson;
use crate::metric::info;

/// The answer. `None` if the user has no nickname.
pub type Nickname = Option<String>;

impl FromJson for Nickname {
    fn text(text: &str) -> Option<Self> {
        Some(Some(text.to_owned()))
    }

    fn null() -> Option<Self> {
        Some(None)
    }
}

pub static SPEC: Spec<Nickname> = of_account("nickname", "/1.0/profile/nickname")
    .every(Duration::from_secs(3600))
    .sample(include_str!("nickname.json"))
    .metrics(&[info("account", "The account's nickname")
        .labels(&["nickname"])
        .field("the text")
        .read(|nickname, out| out.put_all(nickname.iter().map(|nickname| ([nickname.as_str()], 1.0))))]);
