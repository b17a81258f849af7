//! A running exporter: users, a changed file, headers and the rate limit.

use std::fs;

use super::{ask, hash, serving};
use crate::process::{get, wait};

#[test]
fn only_users_with_their_passwords_get_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (alice, bob) = (hash("secret"), hash("pass:word"));
    let (_daemon, url) = serving(directory.path(), &format!("basic_auth_users:\n  alice: {alice}\n  bob: {bob}\n"));
    for path in ["/metrics", "/", "/-/healthy", "/-/ready", "/nothing"] {
        let answer = get(&format!("{url}{path}"), &[]);
        assert_eq!((answer.status, &answer.headers["www-authenticate"]), (401, &"Basic".parse().unwrap()), "{path}");
    }
    let metrics = format!("{url}/metrics");
    for (user, status) in [
        ("alice:secret", 200),
        ("alice:secret", 200),
        ("bob:pass:word", 200),
        ("alice:pass:word", 401),
        ("alice:", 401),
        ("alice", 401),
        ("mallory:secret", 401),
        ("", 401),
    ] {
        assert_eq!(ask(&metrics, user).status, status, "{user}");
    }
    for header in ["Basic", "Basic !", "Bearer YTpi", "Digest username=alice"] {
        assert_eq!(get(&metrics, &[("authorization", header)]).status, 401, "{header}");
    }
    // The exporter's own metrics can be half a second old.
    wait("the count of what was refused", || {
        ask(&metrics, "alice:secret").text().contains("http_requests_total{path=\"/metrics\",code=\"401\"}").then_some(())
    });
}

#[test]
fn a_changed_file_is_used_if_it_has_no_mistake() {
    let directory = tempfile::tempdir().unwrap();
    let web = directory.path().join("web.yml");
    let file = |user: &str, password: &str| format!("basic_auth_users:\n  {user}: {}\n", hash(password));
    let (daemon, url) = serving(directory.path(), &file("alice", "one"));
    assert_eq!(ask(&url, "alice:one").status, 200);

    fs::write(&web, file("alice", "two")).unwrap();
    wait("the new password", || (ask(&url, "alice:two").status == 200).then_some(()));
    assert_eq!(ask(&url, "alice:one").status, 401);

    // Neither an invalid nor an empty file removes the users, and each is logged once.
    for (text, fault) in [
        ("basic_auth_users:\n  alice: hunter2\n", "this user has no bcrypt hash"),
        ("", "all users are gone; restart the exporter if this is meant"),
    ] {
        fs::write(&web, text).unwrap();
        wait("the fault", || {
            assert_eq!(get(&url, &[]).status, 401);
            daemon.output().contains(fault).then_some(())
        });
        // Long enough for more than one reading.
        std::thread::sleep(std::time::Duration::from_millis(2500));
        assert_eq!(ask(&url, "alice:two").status, 200);
        assert_eq!(daemon.output().matches(fault).count(), 1, "{}", daemon.output());
    }
    fs::write(&web, file("bob", "three")).unwrap();
    wait("the new user", || (ask(&url, "bob:three").status == 200).then_some(()));
    assert_eq!(ask(&url, "alice:two").status, 401);
    assert!(!daemon.output().contains("hunter2") && !daemon.output().contains("$2"));
}

#[test]
fn headers_and_rate_limit_come_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let (_daemon, url) = serving(
        directory.path(),
        "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: \"\"\n\
         rate_limit:\n  interval: 1h\n  burst: 3\n",
    );
    let statuses: Vec<u16> = (0..5)
        .map(|_| {
            let answer = get(&format!("{url}/-/healthy"), &[]);
            assert_eq!(answer.headers["x-frame-options"], "deny");
            assert!(!answer.headers.contains_key("strict-transport-security"));
            assert_eq!(answer.headers.contains_key("retry-after"), answer.status == 429);
            answer.status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}
