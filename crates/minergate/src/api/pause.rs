//! Pauses that the host asked for with `Retry-After`: of all requests (429), or of one target (503).
//!
//! A 503 can be caused by one account's data behind the API. It applies to the whole host only if three accounts or three
//! endpoints got one within a minute.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

/// Maximum length of a pause.
const LONGEST: Duration = Duration::from_secs(3600);

/// 503 answers within this time count together.
const WINDOW: Duration = Duration::from_secs(60);

/// Number of accounts or endpoints with a 503 within [`WINDOW`] that pauses the whole host.
const WHOLE_HOST: usize = 3;

/// The target of a request. A 503 pauses its target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// Empty for pool and networks.
    pub(super) account: &'a str,
    pub(super) endpoint: &'static str,
    pub(super) path: &'a str,
}

impl Target<'_> {
    fn key(&self) -> Key {
        (self.account.to_owned(), self.endpoint, self.path.to_owned())
    }
}

type Key = (String, &'static str, String);

/// The pauses in force.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    host: Option<Instant>,
    targets: BTreeMap<Key, Instant>,
    /// When each target last got a 503.
    unavailable: BTreeMap<Key, Instant>,
}

impl Pauses {
    /// When the pause for a target ends, if there is one.
    pub(super) fn end(&self, target: &Target<'_>) -> Option<Instant> {
        let own = if self.targets.is_empty() { None } else { self.targets.get(&target.key()).copied() };
        self.host.max(own).filter(|end| *end > Instant::now())
    }

    /// Pauses all requests to the host. Returns when the pause ends.
    pub(super) fn pause_host(&mut self, wait: Duration) -> Instant {
        let end = Instant::now() + wait.min(LONGEST);
        *self.host.insert(self.host.map_or(end, |before| before.max(end)))
    }

    /// Records a 503 for a target, with a wait or without. Returns when the resulting pause ends, and whether it applies to the whole
    /// host.
    pub(super) fn unavailable(&mut self, target: &Target<'_>, wait: Option<Duration>) -> Option<(Instant, bool)> {
        let now = Instant::now();
        self.targets.retain(|_, end| *end > now);
        self.unavailable.retain(|_, time| *time + WINDOW > now);
        self.unavailable.insert(target.key(), now);
        let wait = wait?;
        let accounts: BTreeSet<&str> = self.unavailable.keys().map(|(account, ..)| account.as_str()).collect();
        let endpoints: BTreeSet<&str> = self.unavailable.keys().map(|(_, endpoint, _)| *endpoint).collect();
        if accounts.len() >= WHOLE_HOST || endpoints.len() >= WHOLE_HOST {
            return Some((self.pause_host(wait), true));
        }
        let end = now + wait.min(LONGEST);
        self.targets.insert(target.key(), end);
        Some((end, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(100);

    fn target(account: &'static str, endpoint: &'static str) -> Target<'static> {
        Target { account, endpoint, path: endpoint }
    }

    #[tokio::test(start_paused = true)]
    async fn a_503_pauses_only_its_target() {
        let mut pauses = Pauses::default();
        let (end, of_host) = pauses.unavailable(&target("a", "workers"), Some(WAIT)).unwrap();
        assert_eq!((end, of_host), (Instant::now() + WAIT, false));
        assert_eq!(pauses.end(&target("a", "workers")), Some(end));
        for other in [target("a", "balance"), target("b", "workers"), target("", "status")] {
            assert_eq!(pauses.end(&other), None);
        }
        tokio::time::sleep(WAIT).await;
        assert_eq!(pauses.end(&target("a", "workers")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_503_of_three_accounts_or_endpoints_within_a_minute_pauses_the_host() {
        for targets in [
            [target("a", "workers"), target("b", "workers"), target("c", "workers")],
            [target("a", "workers"), target("a", "balance"), target("", "status")],
        ] {
            let mut pauses = Pauses::default();
            assert_eq!(pauses.unavailable(&targets[0], None), None, "without a wait there is no pause, but it counts");
            assert!(!pauses.unavailable(&targets[1], Some(WAIT)).unwrap().1);
            assert!(!pauses.unavailable(&targets[1], Some(WAIT)).unwrap().1, "the same target again does not count");
            assert!(pauses.unavailable(&targets[2], Some(WAIT)).unwrap().1);
            assert_eq!(pauses.end(&target("z", "nickname")), Some(Instant::now() + WAIT));
        }
        let mut pauses = Pauses::default();
        for account in ["a", "b", "c"] {
            assert!(!pauses.unavailable(&target(account, "workers"), Some(WAIT)).unwrap().1, "more than a minute apart");
            tokio::time::sleep(Duration::from_secs(31)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_a_maximum_length_and_is_never_shortened() {
        let mut pauses = Pauses::default();
        let end = pauses.pause_host(Duration::MAX);
        assert_eq!(end, Instant::now() + LONGEST);
        assert_eq!(pauses.pause_host(Duration::from_secs(1)), end);
        assert!(pauses.unavailable(&target("a", "workers"), Some(Duration::MAX)).unwrap().0 <= end);
    }
}
