//! The number of logins that an account can make, for any reason: ten at once, then one a minute.

use std::time::Duration;

use tokio::time::Instant;

/// Maximum number of logins saved up.
const CAPACITY: u32 = 10;

/// Time after which one more login is allowed.
const PERIOD: Duration = Duration::from_secs(60);

/// The logins that are left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// When the budget is full again.
    full_at: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { full_at: Instant::now() }
    }
}

impl Budget {
    /// When the next login is allowed; `None` if it is allowed now.
    pub(super) fn next(&self) -> Option<Instant> {
        let next = self.full_at.checked_sub(PERIOD * (CAPACITY - 1))?;
        (next > Instant::now()).then_some(next)
    }

    /// Takes one login.
    pub(super) fn spend(&mut self) {
        self.full_at = self.full_at.max(Instant::now()) + PERIOD;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_at_once_and_then_one_a_minute() {
        // A machine's clock may begin at zero.
        tokio::time::advance(PERIOD * CAPACITY).await;
        let mut budget = Budget::default();
        let start = Instant::now();
        let mut logins = 0;
        while start.elapsed() < Duration::from_secs(3600) {
            while budget.next().is_none() {
                budget.spend();
                logins += 1;
            }
            assert!(logins >= 10 && budget.next().is_some_and(|next| next <= Instant::now() + PERIOD));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(logins, 69);
        tokio::time::sleep(PERIOD * 100).await;
        let saved = std::iter::from_fn(|| budget.next().is_none().then(|| budget.spend())).count();
        assert_eq!(saved, 10);
    }
}
