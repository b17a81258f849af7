//! Failed polls: when they are made again, and that they affect nothing else.

use std::time::Duration;

use minergate::api::Error;
use tokio::time::{Instant, sleep};

use super::{Run, sample};

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_affects_nothing_else() {
    let run = Run::start(&["a", "b"], "", |endpoint, account| {
        assert!(endpoint != "workers" || account != "a", "planted");
        Ok(sample(endpoint))
    });
    sleep(Duration::from_secs(120)).await;
    assert!(run.asked("workers a").len() >= 3, "its loop goes on");
    assert_eq!(run.value("minergate_up{account=\"b\"}"), Some(1.0));
    assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(0.0));
    assert_eq!(run.value("minergate_endpoint_up{account=\"a\",endpoint=\"balance\",currency=\"\"}"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_failing_endpoint_does_not_affect_others() {
    let run = Run::start(&["a", "b"], "", |endpoint, account| match (endpoint, account) {
        ("workers", "a") => Ok("<html>".to_owned()),
        ("balance", "a") => Err(Error::Timeout),
        _ => Ok(sample(endpoint)),
    });
    sleep(Duration::from_secs(120)).await;
    assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(0.0));
    assert_eq!(run.value("minergate_up{account=\"b\"}"), Some(1.0));
    assert_eq!(run.value("minergate_workers{account=\"a\",currency=\"bcn\"}"), None);
    assert_eq!(run.value("minergate_workers{account=\"b\",currency=\"bcn\"}"), Some(1.0));
    assert_eq!(run.value("minergate_mining_workers{account=\"a\",currency=\"bcn\"}"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_polled_at_growing_intervals() {
    let run = Run::start(&["a"], "workers = \"1s\"", |endpoint, _| match endpoint {
        "workers" => Err(Error::Discontinued),
        _ => Ok(sample(endpoint)),
    });
    sleep(Duration::from_secs(15)).await;
    assert_eq!(run.asked("workers a").len(), 4, "at 0, 2, 6 and 14 seconds");
    sleep(Duration::from_secs(86_400)).await;
    let times = run.asked("workers a");
    let last = &times[times.len() - 2..];
    assert_eq!((last[1].saturating_sub(last[0])).as_secs(), 3600);
    assert!(run.asked("balance a").len() > 1000, "others go on");
}

#[tokio::test(start_paused = true)]
async fn polls_are_made_soon_after_a_pause() {
    let end = Instant::now() + Duration::from_secs(100);
    let run = Run::start(&["a", "b"], "", move |endpoint, _| {
        if Instant::now() < end { Err(Error::Paused { until: end }) } else { Ok(sample(endpoint)) }
    });
    sleep(Duration::from_secs(99)).await;
    assert_eq!(run.asked("nickname a").len(), 1);
    assert!(run.value("minergate_api_polls_skipped_total{endpoint=\"workers\"}").unwrap() >= 2.0);
    sleep(Duration::from_secs(4)).await;
    for endpoint in ["workers", "nickname", "affiliate_links"] {
        assert_eq!(run.asked(&format!("{endpoint} a")).len(), 2, "{endpoint}");
    }
    assert_eq!(run.value("minergate_up{account=\"a\"}"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_temporary_failure_is_polled_again_before_a_long_interval_ends() {
    let up_from = Instant::now() + Duration::from_secs(600);
    let run = Run::start(
        &["a"],
        "",
        move |endpoint, _| {
            if Instant::now() < up_from { Err(Error::Timeout) } else { Ok(sample(endpoint)) }
        },
    );
    // Its interval is an hour.
    sleep(Duration::from_secs(1000)).await;
    assert_eq!(run.value("minergate_endpoint_up{account=\"a\",endpoint=\"nickname\",currency=\"\"}"), Some(1.0));
    assert!((4..=6).contains(&run.asked("nickname a").len()), "{:?}", run.asked("nickname a"));
}
