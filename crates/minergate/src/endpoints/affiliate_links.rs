//! `GET /1.0/affiliate/links`: the account's affiliate links.

use std::time::Duration;

use serde::de::IgnoredAny;

use super::{Scope, Spec};
use crate::answer::{Map, count};
use crate::metric::gauge;

/// The answer: link path to link name, of which only the number is kept: a link is nobody's business.
pub type AffiliateLinks = Map<IgnoredAny>;

pub static SPEC: Spec<AffiliateLinks> = Spec {
    name: "affiliate_links",
    path: "/1.0/affiliate/links",
    part: None,
    former_path: None,
    scope: Scope::Account,
    interval: Duration::from_secs(1800),
    sample: include_str!("affiliate_links.json"),
    metrics: &[gauge("affiliate_links", "Number of the account's affiliate links")
        .field("the entries")
        .read(|links, out| out.put([], count(links.len())))],
};
