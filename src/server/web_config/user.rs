//! `basic_auth_users`: the users, and the check of their passwords.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use ring::{hmac, rand};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::document::Entry;

/// Maximum bcrypt cost. A check that takes more than about ten seconds would block all others.
const MAX_COST: u32 = 18;

/// Number of checks at a time. Each keeps a core busy.
const CONCURRENCY: usize = 2;

/// Maximum time that a check waits for others.
const WAIT: Duration = Duration::from_secs(10);

/// Maximum number of remembered right passwords, and of remembered wrong ones.
const REMEMBERED: usize = 1024;

/// bcrypt hashes by user.
#[derive(Default)]
pub(super) struct Users(BTreeMap<String, SecretString>);

impl Users {
    pub(super) fn read(section: Entry) -> anyhow::Result<Users> {
        let mut users = BTreeMap::new();
        for (name, entry) in section.map()?.rest() {
            // The message does not contain the name: if name and hash were swapped, it is the hash.
            let entry = entry.of_parent();
            let hash = entry.text().ok().filter(|hash| hash.len() == 60 && hash.is_ascii());
            let cost = hash.and_then(|hash| HashParts::from_str(hash).ok()).map(|parts| parts.get_cost());
            match (hash, cost) {
                (Some(hash), Some(4..=MAX_COST)) => users.insert(name, hash.to_owned().into()),
                (Some(_), Some(_)) => {
                    return Err(
                        entry.fault(format_args!("this user's hash has a cost out of range; give 4 to {MAX_COST}, best 10"))
                    );
                }
                _ => {
                    let remedy = "make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`, and put it in quotes";
                    return Err(entry.fault(format_args!("this user has no bcrypt hash; {remedy}")));
                }
            };
        }
        Ok(Users(users))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PasswordCheck {
    Right,
    Wrong,
    /// Too many checks were waiting.
    Busy,
}

/// The user name and password in a request.
pub(super) struct Credentials {
    name: Vec<u8>,
    password: SecretSlice<u8>,
}

impl Credentials {
    /// Parses the value of an `Authorization` header.
    pub(super) fn read(header: &[u8]) -> Option<Credentials> {
        let (scheme, encoded) = header.split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let decoded: SecretSlice<u8> = STANDARD.decode(encoded.trim_ascii()).ok()?.into();
        let decoded = decoded.expose_secret();
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        Some(Credentials { name: decoded[..colon].to_vec(), password: decoded[colon + 1..].to_vec().into() })
    }
}

/// The queue in which a check waits: one for each user and address. All unknown names share one queue.
type QueueKey = Option<(Vec<u8>, Option<IpAddr>)>;

/// Checks passwords, and remembers the results.
pub(super) struct Checker {
    /// Known only to this process, so that remembered hashes reveal nothing about passwords.
    key: hmac::Key,
    right: Mutex<HashSet<[u8; 32]>>,
    wrong: Mutex<HashSet<[u8; 32]>>,
    running: Arc<Semaphore>,
    /// From each queue, as many checks as run at a time wait for `running`, so that the queues take turns there.
    queues: Mutex<HashMap<QueueKey, Arc<Semaphore>>>,
}

impl Checker {
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn new() -> anyhow::Result<Checker> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        Ok(Checker {
            key: key.map_err(|_| anyhow::anyhow!("the system has no randomness"))?,
            right: Mutex::default(),
            wrong: Mutex::default(),
            running: Arc::new(Semaphore::new(CONCURRENCY)),
            queues: Mutex::default(),
        })
    }

    /// Whether the password is the user's. An unknown user takes a check too.
    pub(super) async fn check(&self, users: &Users, credentials: Credentials, peer: Option<IpAddr>) -> PasswordCheck {
        let Credentials { name, password } = credentials;
        let known = std::str::from_utf8(&name).ok().and_then(|name| users.0.get(name));
        // An unknown user's password is compared with the hash of a known user, always the same one, because hashes can
        // differ in cost.
        let Some(hash) = known.or_else(|| users.0.values().nth(self.choice(&name, users.0.len()))) else {
            return PasswordCheck::Wrong;
        };
        let tag = self.tag(&[&name, hash.expose_secret().as_bytes(), password.expose_secret()]);
        if let Some(verdict) = self.remembered(&tag) {
            return verdict;
        }
        let is_known = known.is_some();
        let turn = self.turn(is_known.then_some((name, peer)));
        let Ok(Some(running)) = timeout(WAIT, turn).await else { return PasswordCheck::Busy };
        // Another task may have checked the same password meanwhile.
        if let Some(verdict) = self.remembered(&tag) {
            return verdict;
        }
        let hash = hash.clone();
        let check = tokio::task::spawn_blocking(move || {
            // Held until the end of the check, even if the request is cancelled.
            let _running = running;
            bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false)
        });
        let is_right = check.await.unwrap_or(false) && is_known;
        // Separate tables, so that many wrong passwords do not displace right ones.
        let mut verdicts = lock(if is_right { &self.right } else { &self.wrong });
        if verdicts.len() >= REMEMBERED {
            verdicts.clear();
        }
        verdicts.insert(tag);
        if is_right { PasswordCheck::Right } else { PasswordCheck::Wrong }
    }

    /// Waits for the right to run a check.
    async fn turn(&self, queue_key: QueueKey) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let own = {
            let mut queues = lock(&self.queues);
            queues.retain(|_, queue_key| Arc::strong_count(queue_key) > 1);
            queues.entry(queue_key).or_insert_with(|| Arc::new(Semaphore::new(CONCURRENCY))).clone()
        };
        // The permit keeps its semaphore alive, and so the queue in the table.
        Some((own.acquire_owned().await.ok()?, self.running.clone().acquire_owned().await.ok()?))
    }

    fn remembered(&self, tag: &[u8; 32]) -> Option<PasswordCheck> {
        let right = lock(&self.right).contains(tag).then_some(PasswordCheck::Right);
        right.or_else(|| lock(&self.wrong).contains(tag).then_some(PasswordCheck::Wrong))
    }

    fn choice(&self, name: &[u8], of: usize) -> usize {
        let [first, second, ..] = self.tag(&[name]);
        usize::from(u16::from_be_bytes([first, second])) % of.max(1)
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    fn users(list: &[(&str, &str)]) -> Users {
        let hash = |password: &str| bcrypt::hash(password, 4).unwrap().into();
        Users(list.iter().map(|(name, password)| ((*name).to_owned(), hash(password))).collect())
    }

    fn credentials(text: &[u8]) -> Credentials {
        Credentials::read(format!("Basic {}", STANDARD.encode(text)).as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_user_alone() {
        let users = users(&[("alice", "one"), ("bob", "two:three"), ("carol", "")]);
        let checker = Checker::new().unwrap();
        // Twice, because a remembered result must be the same.
        for _ in 0..2 {
            for (text, expected) in [
                (&b"alice:one"[..], PasswordCheck::Right),
                (b"bob:two:three", PasswordCheck::Right),
                (b"carol:", PasswordCheck::Right),
                (b"alice:two:three", PasswordCheck::Wrong),
                (b"alice:", PasswordCheck::Wrong),
                (b"Alice:one", PasswordCheck::Wrong),
                (b"dave:one", PasswordCheck::Wrong),
                (b":", PasswordCheck::Wrong),
                (b"\xff\xfe:\xff", PasswordCheck::Wrong),
            ] {
                assert_eq!(checker.check(&users, credentials(text), None).await, expected, "{}", text.escape_ascii());
            }
        }
        assert_eq!(checker.right.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_changed_hash_forgets_the_password() {
        let checker = Checker::new().unwrap();
        assert_eq!(checker.check(&users(&[("alice", "one")]), credentials(b"alice:one"), None).await, PasswordCheck::Right);
        assert_eq!(checker.check(&users(&[("alice", "two")]), credentials(b"alice:one"), None).await, PasswordCheck::Wrong);
        assert_eq!(checker.check(&Users::default(), credentials(b"alice:one"), None).await, PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn a_wrong_password_is_checked_once() {
        let users = users(&[("alice", "one")]);
        let checker = Checker::new().unwrap();
        for text in [&b"alice:two"[..], b"mallory:two"] {
            assert_eq!(checker.check(&users, credentials(text), None).await, PasswordCheck::Wrong);
            // It gets no turn any more, and must not need one.
            let _all = checker.running.acquire_many(u32::try_from(CONCURRENCY).unwrap()).await.unwrap();
            assert_eq!(checker.check(&users, credentials(text), None).await, PasswordCheck::Wrong);
        }
        assert_eq!(checker.check(&users, credentials(b"alice:one"), None).await, PasswordCheck::Right);
    }

    #[tokio::test(start_paused = true)]
    async fn checks_wait_for_ten_seconds_and_remembered_ones_do_not() {
        let users = users(&[("alice", "one")]);
        let checker = Checker::new().unwrap();
        assert_eq!(checker.check(&users, credentials(b"alice:one"), None).await, PasswordCheck::Right);
        let _all = checker.running.acquire_many(u32::try_from(CONCURRENCY).unwrap()).await.unwrap();
        let start = tokio::time::Instant::now();
        assert_eq!(checker.check(&users, credentials(b"alice:two"), None).await, PasswordCheck::Busy);
        assert_eq!(start.elapsed().as_secs(), 10);
        assert_eq!(checker.check(&users, credentials(b"alice:one"), None).await, PasswordCheck::Right);
    }

    /// Even if many checks wait in another queue, a check waits only for a few of them.
    #[tokio::test]
    async fn queues_take_turns() {
        let checker = Checker::new().unwrap();
        let all = checker.running.acquire_many(u32::try_from(CONCURRENCY).unwrap()).await.unwrap();
        let alice = |address: &str| Some((b"alice".to_vec(), Some(address.parse().unwrap())));
        for queue_key in [None, alice("192.0.2.1")] {
            let mut flood = Box::pin(join_all((0..200).map(|_| checker.turn(queue_key.clone()))));
            assert!((&mut flood).now_or_never().is_none());
            let mut other = Box::pin(checker.turn(alice("192.0.2.2")));
            assert!((&mut other).now_or_never().is_none());
            // Enough for the checks that the other queue let through, and then this one.
            checker.running.add_permits(CONCURRENCY + 1);
            assert!((&mut other).now_or_never().is_some());
            drop((flood, other));
            checker.running.forget_permits(CONCURRENCY + 1);
        }
        drop(all);
        assert!(lock(&checker.queues).len() <= 3);
    }

    #[test]
    fn valid_headers_are_parsed_and_others_are_not() {
        for header in ["", "Basic", "Basic ", "Basic !!!", "Bearer YTpi", "Basic YWxpY2U=", "BasicYTpi", "Bäsic YTpi"] {
            assert!(Credentials::read(header.as_bytes()).is_none(), "{header}");
        }
        for header in ["Basic YTpi", "basic YTpi", "BASIC  YTpi "] {
            let read = Credentials::read(header.as_bytes()).unwrap();
            assert_eq!((&read.name[..], read.password.expose_secret()), (&b"a"[..], &b"b"[..]), "{header}");
        }
    }
}
