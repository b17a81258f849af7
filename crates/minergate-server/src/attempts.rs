//! Limits on failed logins: with one e-mail address, and from one client address. Beyond the limit, logins are refused for a while, even
//! with the right password.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::digest::Digest;

/// Time from the first failure until all failures are forgotten.
pub(super) const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Maximum number of failures from one client address.
pub(super) const FROM_ADDRESS: u32 = 10;

/// Maximum number of failures with one e-mail address, from all clients. It is higher, so that no single client can lock out the account's owner.
pub(super) const WITH_EMAIL: u32 = 50;

/// Maximum number of remembered addresses, of both kinds.
const REMEMBERED: usize = 10_000;

/// The network part of an IPv6 address. One client can use all addresses of its network.
const NETWORK: u128 = !0 << 64;

/// Recent failed logins.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Key, Failures>>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// An e-mail address, even if no account has it: the answer must not reveal which e-mail addresses exist.
    Email(Digest),
    /// Clients without an address, such as those on a unix socket, count as one.
    Client(Option<IpAddr>),
}

struct Failures {
    count: u32,
    since: Instant,
    /// The limit was exceeded, and this was logged.
    is_reported: bool,
}

impl Failures {
    fn left(&self) -> Duration {
        WINDOW.saturating_sub(self.since.elapsed())
    }
}

/// There were too many failures.
#[derive(Debug, PartialEq)]
pub(super) struct TooManyFailures {
    /// How long logins are refused.
    pub(super) left: Duration,
    /// The limit was exceeded for the first time.
    pub(super) is_new: bool,
}

impl Attempts {
    /// Counts a login as failed before it is checked, so that concurrent logins do not exceed the limit.
    ///
    /// # Errors
    /// [`TooManyFailures`]. Then the login must not be checked.
    pub(super) fn begin(&self, email: Digest, client: Option<IpAddr>) -> Result<(), TooManyFailures> {
        let mut all = self.lock();
        let keys = keys(email, client);
        for (key, limit) in keys {
            if let Some(failures) =
                all.get_mut(&key).filter(|failures| failures.count >= limit && !failures.left().is_zero())
            {
                let is_new = !std::mem::replace(&mut failures.is_reported, true);
                return Err(TooManyFailures { left: failures.left(), is_new });
            }
        }
        for (key, _) in keys {
            make_room(&mut all, &key);
            let new = || Failures { count: 0, since: Instant::now(), is_reported: false };
            let failures = all.entry(key).or_insert_with(new);
            if failures.left().is_zero() {
                *failures = new();
            }
            failures.count += 1;
        }
        Ok(())
    }

    /// Removes a login from the count, because it did not fail.
    pub(super) fn forgive(&self, email: Digest, client: Option<IpAddr>) {
        let mut all = self.lock();
        for (key, _) in keys(email, client) {
            if let Some(failures) = all.get_mut(&key) {
                failures.count = failures.count.saturating_sub(1);
                if failures.count == 0 {
                    all.remove(&key);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys that a login is counted under, with their limits.
fn keys(email: Digest, client: Option<IpAddr>) -> [(Key, u32); 2] {
    let client = client.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    });
    [(Key::Client(client), FROM_ADDRESS), (Key::Email(email), WITH_EMAIL)]
}

/// Forgets expired failures. If there are still too many, forgets the oldest quarter.
fn make_room(all: &mut HashMap<Key, Failures>, key: &Key) {
    if all.len() < REMEMBERED || all.contains_key(key) {
        return;
    }
    all.retain(|_, failures| !failures.left().is_zero());
    if all.len() >= REMEMBERED {
        let mut times: Vec<Instant> = all.values().map(|failures| failures.since).collect();
        let (_, cut, _) = times.select_nth_unstable(REMEMBERED / 4);
        all.retain(|_, failures| failures.since > *cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(number: u32) -> Digest {
        let mut digest = Digest::default();
        digest[..4].copy_from_slice(&number.to_be_bytes());
        digest
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The number of logins that are allowed.
    fn allowed(attempts: &Attempts, of: impl Fn(u32) -> (Digest, Option<IpAddr>)) -> u32 {
        let begin = |i| {
            let (email, client) = of(i);
            attempts.begin(email, client).is_ok()
        };
        (0..1000).take_while(|i| begin(*i)).count().try_into().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_limited_for_each_client_and_each_email() {
        let attempts = Attempts::default();
        for client in [Some(ip("192.0.2.1")), Some(ip("2001:db8::1")), None] {
            assert_eq!(allowed(&attempts, |i| (email(i), client)), FROM_ADDRESS, "{client:?}");
        }
        // Another address of the same network, and the same address in another notation.
        for client in [ip("2001:db8::2"), ip("::ffff:192.0.2.1")] {
            assert_eq!(allowed(&attempts, |i| (email(i), Some(client))), 0, "{client:?}");
        }
        let from_many = |i: u32| (email(7777), Some(IpAddr::from((0x0a00_0000 + i).to_be_bytes())));
        assert_eq!(allowed(&attempts, from_many), WITH_EMAIL);
        assert_eq!(
            allowed(&attempts, |i| (email(8000 + i), Some(ip("192.0.2.9")))),
            FROM_ADDRESS,
            "other clients can log in"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_forgotten_after_a_while_and_reported_once() {
        let attempts = Attempts::default();
        let client = Some(ip("192.0.2.1"));
        let one = |_| (email(1), client);
        assert_eq!(allowed(&attempts, one), FROM_ADDRESS);
        let refused = || attempts.begin(email(1), client);
        tokio::time::advance(WINDOW / 3).await;
        // The last call of `allowed` was the first refusal.
        assert_eq!(refused(), Err(TooManyFailures { left: WINDOW / 3 * 2, is_new: false }));
        tokio::time::advance(WINDOW / 3 * 2).await;
        assert_eq!(allowed(&attempts, one), FROM_ADDRESS);
        tokio::time::advance(WINDOW).await;
        for _ in 0..FROM_ADDRESS {
            attempts.begin(email(1), client).unwrap();
        }
        assert_eq!((refused().unwrap_err().is_new, refused().unwrap_err().is_new), (true, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_successful_login_is_not_counted_and_removes_no_failure() {
        let attempts = Attempts::default();
        let client = Some(ip("192.0.2.1"));
        for _ in 0..500 {
            attempts.begin(email(1), client).unwrap();
            attempts.forgive(email(1), client);
        }
        assert!(attempts.lock().is_empty());
        for _ in 0..3 {
            attempts.begin(email(1), client).unwrap();
        }
        attempts.begin(email(2), client).unwrap();
        attempts.forgive(email(2), client);
        assert_eq!(allowed(&attempts, |_| (email(1), client)), FROM_ADDRESS - 3);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let attempts = Attempts::default();
        for i in 0..30_000_u32 {
            let client = IpAddr::from((0x0a00_0000 + i).to_be_bytes());
            attempts.begin(email(i), Some(client)).unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(attempts.lock().len() <= REMEMBERED);
        }
        assert!(attempts.lock().len() > REMEMBERED / 2);
    }
}
