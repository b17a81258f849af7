//! Which failures are logged, and in how many lines.

use std::io;
use std::sync::Mutex;

use tokio::time::sleep;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::subject::Subject;
use minergate::api::Error;

/// Collects the log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        self.clone()
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).without_time().with_ansi(false).finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn key(account: &str, endpoint: &'static str) -> Key {
    Key { subject: Subject::Account(account.into()), endpoint }
}

async fn report(journal: &mut Journal) {
    while let Some(due) = journal.due() {
        tokio::time::sleep_until(due).await;
        journal.report();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_one_line_and_so_is_its_end() {
    let (lines, _guard) = listen();
    let mut journal = Journal::default();
    for round in 0..3 {
        for account in 0..1000 {
            journal.failed(&key(&format!("farm-{account}"), "workers"), &Error::Timeout);
        }
        // A request that was sent before the outage.
        if round == 0 {
            journal.succeeded(&key("farm-5", "balance"), true);
            for account in 0..1000 {
                journal.failed(&key(&format!("farm-{account}"), "balance"), &Error::Timeout);
            }
        }
        report(&mut journal).await;
    }
    let logged = lines.take();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].contains("api down") && logged[0].contains("WARN"), "{logged:?}");
    for account in 0..999 {
        journal.succeeded(&key(&format!("farm-{account}"), "workers"), true);
    }
    assert!(lines.take().concat().contains("api up again"));
    // One account still fails, and is reported after its next poll.
    journal.failed(&key("farm-999", "workers"), &Error::Timeout);
    report(&mut journal).await;
    let logged = lines.take();
    assert!(logged.len() == 1 && logged[0].contains("farm-999"), "{logged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_is_one_line_for_its_account() {
    let (lines, _guard) = listen();
    let mut journal = Journal::default();
    let endpoints = ["workers", "balance", "transfers", "nickname"];
    for round in 0..5 {
        for (i, endpoint) in endpoints.iter().enumerate() {
            let reason = minergate::api::Blocked::WrongPassword;
            let error = if round + i == 0 { Error::WrongPassword } else { Error::LoginBlocked(reason) };
            journal.failed(&key("farm", endpoint), &error);
            journal.succeeded(&key("other", endpoint), true);
        }
        report(&mut journal).await;
    }
    let logged = lines.take();
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0].contains("account down") && logged[0].contains("wrong_password"), "{logged:?}");
    for endpoint in endpoints {
        journal.succeeded(&key("farm", endpoint), true);
    }
    let logged = lines.take();
    assert!(logged.len() == 1 && logged[0].contains("account up again"), "{logged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_single_endpoint_has_lines_of_its_own_where_it_differs() {
    let (lines, _guard) = listen();
    let mut journal = Journal::default();
    let failing = key("farm", "invoices");
    for error in [Error::Timeout, Error::Timeout, Error::NotFound, Error::NotFound] {
        journal.failed(&failing, &error);
        journal.succeeded(&key("farm", "workers"), true);
        report(&mut journal).await;
        sleep(Duration::from_secs(60)).await;
    }
    let logged = lines.take();
    assert_eq!(logged.len(), 2, "{logged:?}");
    assert!(logged.iter().all(|line| line.contains("poll failed") && line.contains("invoices")), "{logged:?}");
    journal.succeeded(&failing, true);
    assert!(lines.take().concat().contains("poll succeeds again"));
}
