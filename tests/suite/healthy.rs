//! `/-/healthy`, `healthcheck` and the watchdog: the exporter is unhealthy if the poller hangs, and never because of the API.

use std::sync::{Arc, Mutex, PoisonError, mpsc as blocking};
use std::time::Duration;

use minergate::api::{self, Client, Error, Observer, Settings};
use minergate_exporter::daemon::watchdog::{Hang, Watchdog};
use minergate_exporter::health::{Health, Stall, patience};
use minergate_exporter::poller::{Plan, Poller};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::config::plan_of;
use crate::fake_api::FakeApi;
use crate::process::{PATIENCE, Process, exporter, get, wait};
use crate::served;
use crate::source::Answers;
use crate::web_config::{ask, hash};

/// An account with a token, and one that logs in.
fn plan(poll: &str) -> Plan {
    let login = "[[accounts]]\nname = \"b\"\nemail = \"b@example.com\"\npassword = \"p\"";
    plan_of(&format!("[poll]\n{poll}\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n{login}"))
}

/// Serves `/-/healthy` for these users.
async fn serve(health: &Arc<Health>, users: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("web.yml");
    std::fs::write(&file, users).unwrap();
    let (listener, url) = served::listener().await;
    tokio::spawn(served::serve(listener, health.clone(), Some(&file)));
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_poller_is_unhealthy_until_it_runs_again() {
    let health = Arc::<Health>::default();
    let (release, released) = blocking::channel::<()>();
    let released = Mutex::new(released);
    // Blocks the poller's thread until the sender is dropped.
    let source = Answers(move |_| {
        let _ = released.lock().unwrap_or_else(PoisonError::into_inner).recv();
        std::future::ready(Err(Error::Timeout))
    });
    let poller = Poller::new(Arc::new(source), plan(""), Arc::default(), health.clone());
    let (_updates, updates) = mpsc::channel(1);
    tokio::spawn(poller.run_on_own_thread(updates));
    // Longer than the time between the poller's reports: while it waits for the next poll, it is healthy.
    health.liveness.set_patience(Duration::from_secs(12));
    let (open, closed) =
        (serve(&health, "").await, serve(&health, &format!("basic_auth_users: {{a: {}}}", hash("b"))).await);
    let watchdog = Watchdog { self_probes: Vec::new(), health };
    let watchdog = spawn_blocking(move || {
        let healthy = |url: &str| get(&format!("{url}/-/healthy"), &[]);
        assert_eq!((healthy(&open).status, healthy(&closed).status), (200, 401));
        wait("the stall", || (healthy(&open).status == 503).then_some(()));
        assert!(healthy(&open).text().starts_with("Not healthy: the poller has not run for "), "{}", healthy(&open).text());
        // Without a password, the answer has the status and not the reason.
        assert_eq!((healthy(&closed).status, healthy(&closed).text().as_str()), (503, "Not healthy\n"));
        assert!(ask(&format!("{closed}/-/healthy"), "a:b").text().starts_with("Not healthy: the poller has not run"));
        for (url, reason) in [(&open, "Not healthy: the poller has not run for "), (&closed, "Not healthy")] {
            let mut check = Process::start(exporter().args(["healthcheck", "--url", &format!("{url}/-/healthy")]));
            assert_eq!(check.exit_code(), Some(1));
            let expected = format!("error: {url}/-/healthy answered HTTP 503: {reason}");
            assert!(check.output().starts_with(&expected), "{}", check.output());
        }
        // Scrapes wait for no poll.
        assert_eq!(get(&format!("{open}/metrics"), &[]).status, 200);
        (watchdog, open, closed)
    });
    let (watchdog, open, closed) = watchdog.await.unwrap();
    assert!(matches!(watchdog.look(PATIENCE).await, Err(Hang::Poller(Stall::Blocked(_)))));
    drop(release);
    spawn_blocking(move || {
        for (url, status) in [(open, 200), (closed, 401)] {
            wait("its end", || (get(&format!("{url}/-/healthy"), &[]).status == status).then_some(()));
        }
    })
    .await
    .unwrap();
    assert_eq!(watchdog.look(PATIENCE).await, Ok(()));
}

/// The real client against an API in every bad state, for hours of a simulated clock.
#[tokio::test]
async fn no_state_of_the_api_is_unhealthy() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    let answering =
        async |status: u16, body: &'static str| FakeApi::start(move |_| (status, body.to_owned())).await.base_url;
    for (state, base_url) in [
        ("dead", FakeApi::nowhere().base_url),
        ("silent", silent_url),
        ("refusing", answering(401, "{}").await),
        ("discontinued", answering(400, r#"{"error": "ApiDiscontinued"}"#).await),
        ("broken", answering(500, "").await),
        ("pausing for an hour", answering(429, "@retry-after: 3600\n").await),
        ("unavailable for an hour", answering(503, "@retry-after: 3600\n").await),
        ("unreadable", answering(200, "<html>").await),
    ] {
        for poll in ["", "workers = \"6h\"\nmining_stats = \"6h\""] {
            let settings = Settings::new(api::parse_base_url(&base_url).unwrap());
            let health = Arc::<Health>::default();
            health.liveness.set_patience(patience(settings.timeout, settings.requests_per_second));
            let watched = health.clone();
            let observer: Observer = Arc::new(move |event| watched.observe(None, event));
            let client = Arc::new(Client::new(&settings, observer).unwrap());
            let poller = Poller::new(client, plan(poll), Arc::default(), health.clone());
            let (_updates, updates) = mpsc::channel(1);
            let polling = tokio::spawn(poller.run(updates));
            let has_failed = || {
                let mut failed = false;
                health.subjects.for_each(|account| failed |= account.loops.values().any(|l| l.failing.is_some()));
                failed
            };
            // The first answer takes real time. After it, the clock jumps while nothing happens.
            if state != "silent" {
                while !has_failed() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            tokio::time::pause();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(2 * 3600) {
                assert_eq!(health.stall(), None, "{state}, {poll}, after {:?}", start.elapsed());
                sleep(Duration::from_secs(20)).await;
            }
            assert!(has_failed(), "{state}");
            tokio::time::resume();
            polling.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exporter_with_nothing_to_poll_is_healthy() {
    let health = Arc::<Health>::default();
    let settings = Settings::new(api::parse_base_url("http://127.0.0.1:1").unwrap());
    let client = Client::new(&settings, Arc::new(|_| ())).unwrap();
    let (_updates, updates) = mpsc::channel(1);
    let plan = Plan { requests_per_second: 5.0, ..Plan::default() };
    let polling = tokio::spawn(Poller::new(Arc::new(client), plan, Arc::default(), health.clone()).run(updates));
    for _ in 0..1000 {
        sleep(Duration::from_secs(7)).await;
        assert_eq!(health.stall(), None);
    }
    polling.abort();
}
