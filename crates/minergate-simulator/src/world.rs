//! The simulated pool's users: their mining, transfers, invoices and affiliates. Everything is a function of the time.

use serde::Serialize;

use super::EPOCH;
use super::coin::{self, COINS, Coin, FAVOURITES};
use super::mine::{Mine, uuid};
use super::noise::{Seed, real, whole};

const DAY: f64 = 86_400.0;

/// Seconds for which a transfer is pending.
const TRANSFER_PENDING: f64 = 300.0;

/// Number of transfers that the API lists.
const LISTED_TRANSFERS: usize = 10;

/// Number of invoices that the API lists.
const LISTED_INVOICES: u64 = 8;

/// One of this many invoices is never paid. Two of these are among the listed invoices, so one has expired.
const UNPAID: u64 = 4;

/// Milliseconds until an invoice expires.
const INVOICE_LIFETIME: u64 = 172_800_000;

/// The affiliate's share of what his affiliated users mine.
const COMMISSION: f64 = 0.01;

/// Pays the users' invoices, and trades with a user who is alone.
const OUTSIDER: &str = "friend@example.com";

/// The users, by index, and their actions: a function of the seed and the time.
#[derive(Clone, Copy)]
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) users: u64,
}

/// Coins that one user sent to another. Times are in milliseconds since 1970, here and below.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    cc: &'static str,
    amount: f64,
    from_user_id: String,
    to_user_id: String,
    id: String,
    state: &'static str,
    created: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invoice {
    amount: f64,
    cc: &'static str,
    address: String,
    comment: &'static str,
    expired_date: u64,
    #[serde(rename = "invoiceId")]
    id: String,
    created: u64,
    status: &'static str,
    email: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<u64>,
}

/// A user who registered through another user's affiliate link.
pub(super) struct Child {
    pub(super) email: String,
    pub(super) registered: u64,
    /// The link.
    pub(super) token: String,
    /// The time of the latest profit from this user, if he mines.
    pub(super) last_profit: Option<u64>,
    mines: Vec<Mine>,
}

pub(super) fn name(user: u64) -> String {
    format!("farm-{}", user + 1)
}

pub(super) fn email(user: u64) -> String {
    format!("{}@example.com", name(user))
}

fn milliseconds(seconds: f64) -> u64 {
    whole(seconds * 1000.0)
}

impl World {
    pub(super) fn user_seed(&self, user: u64) -> Seed {
        self.seed.of("user").nth(user)
    }

    fn began(&self, user: u64) -> f64 {
        EPOCH + self.user_seed(user).of("began").between(0.0, 180.0 * DAY)
    }

    /// The currencies that a user mines: 1 to 4.
    pub(super) fn mines(&self, user: u64) -> Vec<Mine> {
        mines(self.user_seed(user), self.began(user), 3)
    }

    /// A user's latest transfers, newest first. The users form a ring, and each trades with both neighbours.
    pub(super) fn transfers(&self, user: u64, now: f64) -> Vec<Transfer> {
        let before = (user + self.users.max(1) - 1) % self.users.max(1);
        let mut transfers = self.transfers_with_next(user, now);
        if before != user {
            transfers.extend(self.transfers_with_next(before, now));
        }
        transfers.sort_by_key(|transfer| std::cmp::Reverse(transfer.created));
        transfers.truncate(LISTED_TRANSFERS);
        transfers
    }

    fn transfers_with_next(&self, user: u64, now: f64) -> Vec<Transfer> {
        let seed = self.user_seed(user).of("transfers");
        let period = seed.between(3.0, 8.0) * 3600.0;
        let next = if self.users > 1 { email((user + 1) % self.users) } else { OUTSIDER.to_owned() };
        let coins: Vec<_> = self.mines(user).into_iter().map(|mine| mine.coin).collect();
        let transfer = |index: u64| {
            let seed = seed.nth(index);
            let coin = seed.of("currency").pick(&coins)?;
            let created = EPOCH + period * real(index);
            let (from_user_id, to_user_id) =
                if seed.of("back").unit() < 0.4 { (next.clone(), email(user)) } else { (email(user), next.clone()) };
            Some(Transfer {
                cc: coin.code,
                amount: small_amount(seed, coin),
                from_user_id,
                to_user_id,
                id: uuid(seed),
                state: if now - created < TRANSFER_PENDING { "pending" } else { "finished" },
                created: milliseconds(created),
            })
        };
        let last = whole((now - EPOCH) / period);
        (last.saturating_sub(LISTED_TRANSFERS as u64)..=last).filter_map(transfer).collect()
    }

    /// A user's latest invoices, newest first. An invoice is paid when the next one is made, so the newest is not finished. Some are never
    /// paid, and expire.
    pub(super) fn invoices(&self, user: u64, now: f64) -> Vec<Invoice> {
        let seed = self.user_seed(user).of("invoices");
        let period = seed.between(0.6, 1.2) * DAY;
        let created = |index: u64| milliseconds(EPOCH + period * real(index));
        let last = whole((now - EPOCH) / period);
        let mines = self.mines(user);
        let invoice = |index: u64| {
            let seed = seed.nth(index);
            let coin = seed.of("currency").pick(&mines)?.coin;
            let finished = (index < last && index % UNPAID != UNPAID - 1).then(|| created(index + 1));
            let expired_date = created(index) + INVOICE_LIFETIME;
            let status = match finished {
                Some(_) => "finished",
                None if expired_date <= milliseconds(now) => "expired",
                None => "pending",
            };
            Some(Invoice {
                amount: small_amount(seed, coin),
                cc: coin.code,
                address: format!("made-up-{}-address-{}", coin.code, seed.of("address").hex(8)),
                comment: "Some text from the simulator",
                expired_date,
                id: seed.of("id").hex(40),
                created: created(index),
                status,
                email: OUTSIDER,
                finished,
            })
        };
        (last.saturating_sub(LISTED_INVOICES - 1)..=last).rev().filter_map(invoice).collect()
    }

    /// A user's affiliate links: path and name.
    pub(super) fn links(&self, user: u64) -> Vec<(String, String)> {
        let seed = self.user_seed(user).of("links");
        let path = |i| format!("/a/{}", seed.nth(i).hex(24));
        (0..=seed.below(5)).map(|i| (path(i), if i == 0 { "link".to_owned() } else { format!("link{}", i + 1) })).collect()
    }

    /// The users who registered through a user's links. Every second one mines.
    pub(super) fn children(&self, user: u64, now: f64) -> Vec<Child> {
        let seed = self.user_seed(user).of("children");
        let links = self.links(user);
        let child = |i: u64| {
            let seed = seed.nth(i);
            let registered = self.began(user) + DAY * (20.0 * real(i) + seed.of("registered").between(1.0, 20.0));
            let mines = if i.is_multiple_of(2) { mines(seed, registered, 1) } else { Vec::new() };
            (registered <= now).then(|| Child {
                email: format!("child-{}-of-{}", i + 1, email(user)),
                registered: milliseconds(registered),
                token: seed.of("link").pick(&links).map(|(path, _)| path.clone()).unwrap_or_default(),
                last_profit: (!mines.is_empty()).then(|| milliseconds((now / 600.0).floor() * 600.0)),
                mines,
            })
        };
        (0..2 + seed.below(4)).filter_map(child).collect()
    }
}

impl Child {
    /// Coins earned through this user, by currency.
    pub(super) fn profits(&self, now: f64) -> impl Iterator<Item = (&'static str, f64)> {
        self.mines.iter().map(move |mine| (mine.coin.code, COMMISSION * mine.mined(now)))
    }
}

/// A favourite and up to `more` other currencies.
fn mines(seed: Seed, began: f64, more: u64) -> Vec<Mine> {
    let seed = seed.of("mines");
    let mut coins: Vec<&'static Coin> = seed.pick(FAVOURITES).and_then(|code| coin::find(code)).into_iter().collect();
    for i in 0..seed.of("more").below(more + 1) {
        coins.extend(seed.nth(i).pick(COINS).filter(|coin| coins.iter().all(|other| other.code != coin.code)));
    }
    coins.into_iter().map(|coin| Mine::new(seed, coin, began)).collect()
}

/// The earnings of a few workers in some hours.
fn small_amount(seed: Seed, coin: &Coin) -> f64 {
    let hours = seed.of("amount").between(1.0, 20.0);
    coin.payable(hours * 3600.0 * 4.0 * coin.worker * coin.per_hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(users: u64) -> World {
        World { seed: Seed::new(5), users }
    }

    #[test]
    fn every_user_mines_a_favourite_and_at_most_four() {
        for user in 0..200 {
            let mines = world(200).mines(user);
            assert!((1..=4).contains(&mines.len()));
            assert!(FAVOURITES.contains(&mines[0].coin.code));
        }
    }

    #[test]
    fn a_transfer_is_in_the_lists_of_both_users() {
        let now = EPOCH + 6e7;
        for (users, user) in [(1, 0), (2, 1), (3, 0), (50, 49)] {
            let transfers = world(users).transfers(user, now);
            assert_eq!(transfers.len(), 10);
            assert!(transfers.is_sorted_by(|a, b| a.created >= b.created));
            let newest = &transfers[0];
            let me = email(user);
            assert_ne!(newest.from_user_id == me, newest.to_user_id == me);
            let other = if newest.from_user_id == me { &newest.to_user_id } else { &newest.from_user_id };
            if let Some(other) = (0..users).find(|user| email(*user) == *other) {
                assert!(world(users).transfers(other, now).iter().any(|transfer| transfer.id == newest.id));
            }
        }
    }

    #[test]
    fn the_newest_invoice_can_be_paid_and_an_old_one_has_expired() {
        for hour in 0..200 {
            let seconds = EPOCH + 6e7 + 3600.0 * real(hour);
            let now = milliseconds(seconds);
            for user in 0..3 {
                let invoices = world(3).invoices(user, seconds);
                assert_eq!(invoices.len(), 8);
                assert!(invoices[0].status == "pending" && invoices[0].expired_date > now);
                assert!(invoices.iter().any(|invoice| invoice.status == "expired"));
                for invoice in &invoices {
                    assert_eq!(invoice.finished.is_some(), invoice.status == "finished");
                    assert_eq!(invoice.status == "expired", invoice.finished.is_none() && invoice.expired_date <= now);
                    assert!(invoice.finished.is_none_or(|time| time <= now));
                }
            }
        }
    }
}
