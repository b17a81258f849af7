//! Tokens: those from logins, which expire, and those in the configuration.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use minergate::api::Secret;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;
use tracing::warn;

use super::digest::{Digest, Digester};

/// Maximum number of valid login tokens of one account. A further one ends the oldest.
const PER_ACCOUNT: usize = 64;

/// How long a token file is not read again.
const FRESH: Duration = Duration::from_secs(5);

/// Maximum number of files read at once.
const FILES_AT_ONCE: usize = 64;

/// The tokens of all accounts, which are identified by their indexes.
pub(super) struct Tokens {
    lifetime: Duration,
    /// Login tokens, with their account and expiry time.
    issued: Mutex<HashMap<Digest, (usize, Instant)>>,
    configured: Vec<ConfiguredToken>,
}

/// A token that is valid without a login, and does not expire.
struct ConfiguredToken {
    name: Arc<str>,
    account: usize,
    secret: Secret,
    known: Mutex<Option<CachedDigest>>,
    /// Locked while the file is read.
    turn: tokio::sync::Mutex<()>,
}

/// The result of the last read; `None` if the file could not be read.
#[derive(Clone, Copy)]
struct CachedDigest {
    digest: Option<Digest>,
    at: Instant,
}

impl Tokens {
    /// Login tokens are valid for `lifetime`.
    pub(super) fn new(lifetime: Duration) -> Tokens {
        Tokens { lifetime, issued: Mutex::default(), configured: Vec::new() }
    }

    /// Adds a token of the configuration.
    pub(super) fn add(&mut self, name: Arc<str>, account: usize, secret: Secret) {
        self.configured.push(ConfiguredToken {
            name,
            account,
            secret,
            known: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        });
    }

    /// Creates a token for an account that has logged in.
    pub(super) fn issue(&self, account: usize, digester: &Digester) -> String {
        let now = Instant::now();
        let mut issued = self.issued();
        issued.retain(|_, (_, end)| *end > now);
        let own = issued.iter().filter(|(_, (owner, _))| *owner == account);
        if own.clone().count() >= PER_ACCOUNT
            && let Some(oldest) = own.min_by_key(|(_, (_, end))| *end).map(|(token, _)| *token)
        {
            issued.remove(&oldest);
        }
        let token = random_token();
        issued.insert(digester.digest(&token), (account, now.checked_add(self.lifetime).unwrap_or(now)));
        token
    }

    /// The account that the token belongs or belonged to (expired tokens are remembered for a while), and whether the token is valid.
    pub(super) async fn find(&self, token: &str, digester: &Digester) -> Option<(usize, bool)> {
        let digest = digester.digest(token);
        if let Some((account, end)) = self.issued().get(&digest) {
            return Some((*account, *end > Instant::now()));
        }
        // If the token is known, only its own file is read, so that another file that hangs delays nobody.
        let known = self.configured.iter().find(|ready| ready.known().is_some_and(|known| known.digest == Some(digest)));
        if let Some(ready) = known
            && ready.read(digester).await == Some(digest)
        {
            return Some((ready.account, true));
        }
        for some in self.configured.chunks(FILES_AT_ONCE) {
            let mut reading = FuturesUnordered::new();
            for ready in some {
                reading.push(async move { (ready.account, ready.read(digester).await) });
            }
            while let Some((account, read)) = reading.next().await {
                if read == Some(digest) {
                    return Some((account, true));
                }
            }
        }
        None
    }

    fn issued(&self) -> MutexGuard<'_, HashMap<Digest, (usize, Instant)>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConfiguredToken {
    /// The token's current digest.
    async fn read(&self, digester: &Digester) -> Option<Digest> {
        let is_file = matches!(self.secret, Secret::File { .. });
        let fresh = || self.known().filter(|known| !is_file || known.at.elapsed() < FRESH);
        if let Some(known) = fresh() {
            return known.digest;
        }
        let _turn = self.turn.lock().await;
        if let Some(known) = fresh() {
            return known.digest;
        }
        let token = self.secret.read().await;
        let mut known = self.known();
        if let Err(error) = &token
            && known.is_none_or(|known| known.digest.is_some())
        {
            warn!(account = %self.name, kind = error.kind(), %error, "token file not read; the token is refused");
        }
        let digest = token.ok().map(|token| digester.digest(token.expose_secret()));
        *known = Some(CachedDigest { digest, at: Instant::now() });
        digest
    }

    fn known(&self) -> MutexGuard<'_, Option<CachedDigest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_token() -> String {
    rand::random::<[u8; 32]>().iter().fold(String::new(), |mut token, byte| {
        // Writing to a string can't fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_can_have_several_tokens_and_they_expire() {
        let (tokens, digester) = (Tokens::new(Duration::from_secs(3600)), Digester::new());
        let first = tokens.issue(0, &digester);
        tokio::time::advance(Duration::from_secs(3000)).await;
        let second = tokens.issue(0, &digester);
        assert!(first != second && first.len() == 64);
        let found = async |token| tokens.find(token, &digester).await;
        assert_eq!((found(&first).await, found(&second).await), (Some((0, true)), Some((0, true))));
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!((found(&first).await, found(&second).await), (Some((0, false)), Some((0, true))));
        tokio::time::advance(Duration::from_secs(86_400)).await;
        tokens.issue(0, &digester);
        assert_eq!(tokens.issued().len(), 1, "ended tokens are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_a_bounded_number_of_tokens() {
        let (tokens, digester) = (Tokens::new(Duration::from_secs(3600)), Digester::new());
        let of_another = tokens.issue(1, &digester);
        let mut own = Vec::new();
        for _ in 0..=PER_ACCOUNT {
            own.push(tokens.issue(0, &digester));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let found = async |token| tokens.find(token, &digester).await;
        assert_eq!((found(&own[0]).await, found(&of_another).await), (None, Some((1, true))));
        for token in &own[1..] {
            assert_eq!(found(token).await, Some((0, true)));
        }
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_after_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let digester = Digester::new();
        let mut tokens = Tokens::new(Duration::from_secs(3600));
        tokens.add("value".into(), 3, Secret::of_text("0123abcd").unwrap());
        tokens.add("file".into(), 5, Secret::File { name: "token_file", path: path.clone() });
        let found = async |token| tokens.find(token, &digester).await;
        let forget = || *tokens.configured[1].known() = None;
        assert_eq!((found("0123abcd").await, found("first").await), (Some((3, true)), None));
        for (text, valid, invalid) in [("first\n", "first", "second"), ("second\n", "second", "first")] {
            std::fs::write(&path, text).unwrap();
            forget();
            assert_eq!((found(valid).await, found(invalid).await), (Some((5, true)), None));
            // The file is not read again for a moment.
            assert_eq!(found(valid).await, Some((5, true)));
        }
        std::fs::remove_file(&path).unwrap();
        forget();
        assert_eq!((found("second").await, found("0123abcd").await), (None, Some((3, true))));
    }
}
