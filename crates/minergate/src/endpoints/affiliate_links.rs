//! `GET /1.0/affiliate/links`: the account's affiliate links.

use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{Map, count};
use crate::metric::gauge;

/// The answer: link path to link name. Only the number of entries is read, because links are private.
pub type AffiliateLinks = Map<()>;

pub static SPEC: Spec<AffiliateLinks> = of_account("affiliate_links", "/1.0/affiliate/links")
    .every(Duration::from_secs(1800))
    .sample(include_str!("affiliate_links.json"))
    .metrics(&[gauge("affiliate_links", "Number of the account's affiliate links")
        .field("the entries")
        .read(|links, out| out.put([], count(links.len())))]);
