//! `basic_auth_users`: who may come in, and the check of their passwords.

use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use ring::{hmac, rand};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use tokio::sync::Semaphore;

use super::document::Entry;

/// What costs more than some ten seconds for one check would stop all others.
const MAX_COST: u32 = 18;

/// Checks at the same time: each keeps a core busy.
const CONCURRENCY: usize = 2;

/// Checks that may wait for others.
const WAITING: usize = 64;

/// Passwords that are remembered as right.
const REMEMBERED: usize = 1024;

/// bcrypt hashes by user.
#[derive(Default)]
pub(super) struct Users(BTreeMap<String, SecretString>);

impl Users {
    pub(super) fn read(section: Entry) -> anyhow::Result<Users> {
        let mut users = BTreeMap::new();
        for (name, entry) in section.map()?.rest() {
            // The name stays unsaid: where the two were swapped, it is the hash.
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

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// More checks are under way than there should be.
    Busy,
}

/// A user's name and password, as a request gives them.
pub(super) struct Credentials {
    name: Vec<u8>,
    password: SecretSlice<u8>,
}

impl Credentials {
    /// Reads the value of an `Authorization` header.
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

/// Checks passwords, and remembers those that were right.
pub(super) struct Checker {
    /// Known to this process alone, so that what is remembered tells nothing of a password.
    key: hmac::Key,
    right: Mutex<HashSet<[u8; 32]>>,
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Checker {
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn new() -> anyhow::Result<Checker> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        Ok(Checker {
            key: key.map_err(|_| anyhow::anyhow!("the system has no randomness"))?,
            right: Mutex::default(),
            running: Arc::new(Semaphore::new(CONCURRENCY)),
            waiting: Semaphore::new(WAITING + CONCURRENCY),
        })
    }

    /// Whether the password is the user's. Takes the same time for a user that there is not.
    pub(super) async fn check(&self, users: &Users, credentials: Credentials) -> Verdict {
        let Credentials { name, password } = credentials;
        let known = std::str::from_utf8(&name).ok().and_then(|name| users.0.get(name));
        // An unknown user's password is held against somebody's hash all the same, and always the same one's: hashes may
        // differ in cost.
        let Some(hash) = known.or_else(|| users.0.values().nth(self.choice(&name, users.0.len()))) else {
            return Verdict::Wrong;
        };
        let tag = self.tag(&[&name, hash.expose_secret().as_bytes(), password.expose_secret()]);
        if known.is_some() && self.remembered(&tag) {
            return Verdict::Right;
        }
        let Ok(_waiting) = self.waiting.try_acquire() else { return Verdict::Busy };
        let Ok(running) = self.running.clone().acquire_owned().await else { return Verdict::Busy };
        // Somebody else may have asked the same in the meantime.
        if known.is_some() && self.remembered(&tag) {
            return Verdict::Right;
        }
        let hash = hash.clone();
        let check = tokio::task::spawn_blocking(move || {
            // Kept until the end, also where nobody waits for it any more.
            let _running = running;
            bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false)
        });
        if !check.await.unwrap_or(false) || known.is_none() {
            return Verdict::Wrong;
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(tag);
        Verdict::Right
    }

    fn remembered(&self, tag: &[u8; 32]) -> bool {
        self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(tag)
    }

    fn choice(&self, name: &[u8], of: usize) -> usize {
        usize::from(u16::from_be_bytes([self.tag(&[name])[0], self.tag(&[name])[1]])) % of.max(1)
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

#[cfg(test)]
mod tests {
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
        // Twice: what is remembered must not change the answer.
        for _ in 0..2 {
            for (text, expected) in [
                (&b"alice:one"[..], Verdict::Right),
                (b"bob:two:three", Verdict::Right),
                (b"carol:", Verdict::Right),
                (b"alice:two:three", Verdict::Wrong),
                (b"alice:", Verdict::Wrong),
                (b"Alice:one", Verdict::Wrong),
                (b"dave:one", Verdict::Wrong),
                (b":", Verdict::Wrong),
                (b"\xff\xfe:\xff", Verdict::Wrong),
            ] {
                assert_eq!(checker.check(&users, credentials(text)).await, expected, "{}", text.escape_ascii());
            }
        }
        assert_eq!(checker.right.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_changed_hash_forgets_the_password() {
        let checker = Checker::new().unwrap();
        assert_eq!(checker.check(&users(&[("alice", "one")]), credentials(b"alice:one")).await, Verdict::Right);
        assert_eq!(checker.check(&users(&[("alice", "two")]), credentials(b"alice:one")).await, Verdict::Wrong);
        assert_eq!(checker.check(&Users::default(), credentials(b"alice:one")).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn checks_that_pile_up_are_refused_and_remembered_ones_are_not() {
        let users = users(&[("alice", "one")]);
        let checker = Checker::new().unwrap();
        assert_eq!(checker.check(&users, credentials(b"alice:one")).await, Verdict::Right);
        let _all = checker.waiting.try_acquire_many(66).unwrap();
        assert_eq!(checker.check(&users, credentials(b"alice:two")).await, Verdict::Busy);
        assert_eq!(checker.check(&users, credentials(b"alice:one")).await, Verdict::Right);
    }

    #[test]
    fn headers_are_read_or_not() {
        for header in ["", "Basic", "Basic ", "Basic !!!", "Bearer YTpi", "Basic YWxpY2U=", "BasicYTpi", "Bäsic YTpi"] {
            assert!(Credentials::read(header.as_bytes()).is_none(), "{header}");
        }
        for header in ["Basic YTpi", "basic YTpi", "BASIC  YTpi "] {
            let read = Credentials::read(header.as_bytes()).unwrap();
            assert_eq!((&read.name[..], read.password.expose_secret()), (&b"a"[..], &b"b"[..]), "{header}");
        }
    }
}
