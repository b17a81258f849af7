//! The built binary against the simulator, as a user sees it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use minergate::endpoints::{ENDPOINTS, Endpoint};

use crate::fake_api::FakeApi;
use crate::process::{Process, daemon, exporter, get, request, simulator, wait};
use crate::repository::ROOT;
use crate::scrape::is_up;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The daemon with three accounts of the simulator, one for each kind of credentials, after all of them are up.
fn running(directory: &Path) -> (Process, Process, String) {
    let (simulator, config) = simulator(directory, &[]);
    let (daemon, url) = daemon(&config, &[]);
    wait("all accounts up", || {
        let text = get(&format!("{url}/metrics"), &[]).text();
        ["farm-1", "farm-2", "farm-3"].iter().all(|name| is_up(&text, name)).then_some(())
    });
    (simulator, daemon, url)
}

#[test]
fn with_one_account_the_exporter_has_at_most_150_series_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--accounts", "1"]);
    let (_daemon, url) = daemon(&config, &[]);
    let polled = |text: &str| {
        let ok = |endpoint: &&Endpoint| {
            text.contains(&format!("minergate_api_requests_total{{endpoint=\"{}\",outcome=\"ok\"}}", endpoint.name))
        };
        ENDPOINTS.iter().filter(ok).count()
    };
    let text = wait("a poll of every endpoint", || {
        let text = get(&format!("{url}/metrics"), &[]).text();
        (polled(&text) == ENDPOINTS.len()).then_some(text)
    });
    let own =
        ["minergate_up", "minergate_endpoint_", "minergate_api_", "minergate_auth_", "minergate_exporter_", "process_"];
    let own: Vec<&str> = text.lines().filter(|line| own.iter().any(|own| line.starts_with(own))).collect();
    assert!(own.len() <= 150, "{}:\n{}", own.len(), own.join("\n"));
}

#[test]
fn every_kind_of_credentials_works_and_every_page_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, mut daemon, url) = running(directory.path());
    let metrics = format!("{url}/metrics");

    let text = get(&metrics, &[]).text();
    for account in ["farm-1", "farm-2", "farm-3"] {
        for family in
            ["minergate_workers", "minergate_mining_mined_coins_total", "minergate_balance_coins", "minergate_account_info"]
        {
            assert!(text.contains(&format!("{family}{{account=\"{account}\",")), "{family} of {account}");
        }
    }
    assert!(text.contains("minergate_auth_logins_total{account=\"farm-2\",outcome=\"ok\"} 1\n"));
    assert!(!text.contains("minergate_auth_logins_total{account=\"farm-3\""), "an account with a token does not log in");
    assert!(text.contains("minergate_network_block_height{currency=\"") && text.contains("process_resident_memory_bytes "));

    // Formats and encodings.
    let open_metrics =
        get(&metrics, &[("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")]);
    assert_eq!(open_metrics.headers["content-type"], OPEN_METRICS);
    assert!(open_metrics.text().ends_with("# EOF\n"));
    let zipped = get(&metrics, &[("accept-encoding", "gzip")]);
    assert_eq!(
        (&zipped.headers["content-type"], &zipped.headers["content-encoding"]),
        (&TEXT.parse().unwrap(), &"gzip".parse().unwrap())
    );
    let mut unzipped = String::new();
    GzDecoder::new(&zipped.body[..]).read_to_string(&mut unzipped).unwrap();
    assert!(unzipped.contains("minergate_up{"));

    // A part of the series, and an unknown account.
    let part = get(&format!("{metrics}?account=farm-1&account=farm-3"), &[]).text();
    assert!(part.contains("account=\"farm-1\"") && part.contains("account=\"farm-3\"") && !part.contains("farm-2"));
    let unknown = get(&format!("{metrics}?account=%3Cscript%3E"), &[]);
    assert_eq!(unknown.status, 400);
    assert!(!unknown.text().contains("script"));

    // Other pages, methods and paths.
    for (method, path, status) in [
        ("GET", "/-/healthy", 200),
        ("GET", "/-/ready", 200),
        ("GET", "/", 200),
        ("HEAD", "/metrics", 200),
        ("HEAD", "/", 200),
        ("POST", "/metrics", 405),
        ("DELETE", "/-/healthy", 405),
        ("GET", "/nothing", 404),
        ("GET", "/metrics/", 404),
    ] {
        let answer = request(method, &format!("{url}{path}"), &[]);
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(method != "HEAD" || answer.body.is_empty());
    }
    assert!(get(&url, &[]).text().contains("href=\"/metrics\""));
    // The counts can be some seconds old.
    let counted = "minergate_exporter_http_requests_total{path=\"other\",code=\"404\"} 2\n";
    let text = wait("the count", || Some(get(&metrics, &[]).text()).filter(|text| text.contains(counted)));
    assert!(!text.contains("/nothing"));

    daemon.signal("TERM");
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn sigterm_and_sigint_end_it_in_time_with_code_0() {
    let directory = tempfile::tempdir().unwrap();
    let (mut simulator, config) = simulator(directory.path(), &[]);
    for signal in ["TERM", "INT"] {
        let (mut daemon, url) = daemon(&config, &[]);
        // A connection that stays open, and one that sends no request.
        let address = url.strip_prefix("http://").unwrap();
        let _silent = std::net::TcpStream::connect(address).unwrap();
        get(&format!("{url}/metrics"), &[]);
        let start = tokio::time::Instant::now();
        daemon.signal(signal);
        assert_eq!(daemon.exit_code(), Some(0), "{signal}");
        // The documented time is a second; a busy machine gets more.
        assert!(start.elapsed() < Duration::from_secs(10), "{signal}: {:?}", start.elapsed());
        assert!(daemon.output().contains("stopped"));
    }
    simulator.signal("TERM");
    assert_eq!(simulator.exit_code(), Some(0));
}

#[test]
fn own_metrics_are_there_before_the_api_answers() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", silent.local_addr().unwrap());
    std::fs::write(&config, format!("[api]\nbase_url = \"{base_url}\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n"))
        .unwrap();
    let (_daemon, url) = daemon(&config, &[]);
    let text = get(&format!("{url}/metrics"), &[]).text();
    for line in [
        "minergate_up{account=\"a\"} 0",
        "minergate_endpoint_up{account=\"a\",endpoint=\"workers\",currency=\"\"} 0",
        "minergate_endpoint_interval_seconds{endpoint=\"workers\"} 30.0",
        "minergate_auth_blocked{account=\"a\",reason=\"wrong_password\"} 0",
        "minergate_exporter_config_last_reload_successful 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert_eq!(get(&format!("{url}/-/ready"), &[]).status, 503);
    assert_eq!(get(&format!("{url}/-/healthy"), &[]).status, 200);
}

#[test]
fn expired_tokens_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &["--accounts", "1", "--token-lifetime", "2s"]);
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str("\n[poll]\nworkers = \"1s\"\n");
    std::fs::write(&config, text).unwrap();
    let (daemon, url) = daemon(&config, &[]);
    wait("three logins", || {
        let text = get(&format!("{url}/metrics"), &[]).text();
        let logins = text
            .lines()
            .find_map(|line| line.strip_prefix("minergate_auth_logins_total{account=\"farm-1\",outcome=\"ok\"} "));
        (logins.unwrap().parse::<f64>().unwrap() >= 3.0).then_some(())
    });
    assert!(!daemon.output().contains("poll failed"), "{}", daemon.output());
}

#[test]
fn the_demo_runs_without_a_configuration() {
    let mut demo = Process::start(exporter().args(["demo", "--web.listen-address", "127.0.0.1:0"]));
    let url = format!("http{}", demo.wait_for("metrics          http"));
    wait("all accounts up", || {
        let text = get(&url, &[]).text();
        let up = ["farm-1", "farm-2", "farm-3", "rig-1"].iter().all(|name| is_up(&text, name));
        (up && text.matches("minergate_up{").count() == 4).then_some(())
    });
    let page = format!("http{}", demo.wait_for("status page      http"));
    assert_eq!(get(&page, &[]).status, 200, "{page}");
    demo.wait_for("Ctrl-C ends it.");
    let said = demo.output();
    let greeting = said.split("Ctrl-C").next().unwrap();
    let files: Vec<&str> = greeting.split([' ', ',', '\n']).filter(|word| word.starts_with("docs/")).collect();
    assert!(files.len() > 3 && files.iter().all(|file| Path::new(ROOT).join(file).is_file()), "{files:?}");
    let (_, target) = greeting.split_once("targets: [\"").unwrap();
    assert!(url.contains(target.split('"').next().unwrap()), "{greeting}");
    demo.signal("INT");
    assert_eq!(demo.exit_code(), Some(0));
}

#[test]
fn check_reports_the_configuration_or_its_mistakes() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    std::fs::write(
        &config,
        "[[accounts]]\nname = \"a\"\ntoken = \"t\"\n[poll]\nworkers = \"1s\"\n[api]\nbase_url = \"http://127.0.0.1:1\"\nrequests_per_second = 0.5\n",
    )
    .unwrap();
    let mut check = Process::start(exporter().arg("check").arg("--config.file").arg(&config));
    assert_eq!(check.exit_code(), Some(0));
    let output = wait("the whole output", || Some(check.output()).filter(|output| output.contains("All is well")));
    for part in ["http://127.0.0.1:1/", "token", "all endpoints", "mining_stats", "every 1m, in fact 2m", "over the limit"] {
        assert!(output.contains(part), "{part} is not in\n{output}");
    }
    std::fs::write(&config, "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken_file = \"gone\"\n")
        .unwrap();
    let mut check = Process::start(exporter().arg("check").arg("--config.file").arg(&config));
    assert_eq!(check.exit_code(), Some(1));
    wait("the fault", || check.output().contains("account a: can't use token_file: no such file").then_some(()));
    std::fs::write(&config, "acounts = 1\n").unwrap();
    let mut check = Process::start(exporter().arg("check").arg("--config.file").arg(&config));
    assert_eq!(check.exit_code(), Some(1));
    wait("the fault", || check.output().contains("did you mean `accounts`?").then_some(()));
}

#[test]
fn the_health_check_has_an_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, mut daemon, url) = running(directory.path());
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let check = |arguments: &[&str]| Process::start(exporter().arg("healthcheck").args(arguments)).exit_code();
    assert_eq!(check(&["--web.listen-address", &address]), Some(0));
    assert_eq!(check(&["--ready", "--web.listen-address", &address]), Some(0));
    assert_eq!(check(&["--url", &format!("{url}/nothing")]), Some(1));
    // A container's health check has the environment of the exporter, but not its flags.
    let mut command = exporter();
    command.env("MINERGATE_EXPORTER__WEB__LISTEN_ADDRESS", format!("[\"{address}\"]"));
    assert_eq!(Process::start(command.arg("healthcheck")).exit_code(), Some(0));
    daemon.signal("TERM");
    daemon.exit_code();
    assert_eq!(check(&["--web.listen-address", &address]), Some(1));
}

#[test]
fn an_address_in_use_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut demo = Process::start(exporter().args(["demo", "--web.listen-address", &address]));
    assert_eq!(demo.exit_code(), Some(1));
    wait("the fault", || demo.output().contains(&format!("error: can't listen on {address}; give another")).then_some(()));
}

#[test]
fn the_version_names_revision_and_compiler() {
    let mut version = Process::start(exporter().arg("--version"));
    assert_eq!(version.exit_code(), Some(0));
    wait("the version", || {
        let output = version.output();
        (output.contains(env!("CARGO_PKG_VERSION")) && output.contains("revision: ") && output.contains("rust version: "))
            .then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_of_the_environment_is_used() {
    let proxy = FakeApi::start(|_| (200, r#"{"xmr": "1.5"}"#.to_owned())).await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    let text =
        "[api]\nbase_url = \"http://pool.invalid\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\nendpoints = [\"balance\"]\n";
    std::fs::write(&config, text).unwrap();
    let mut command = exporter();
    command.env("http_proxy", &proxy.base_url).arg("--config.file").arg(&config);
    command.args(["--web.listen-address", "127.0.0.1:0"]);
    let _daemon = Process::start(&mut command);
    tokio::task::spawn_blocking(move || {
        wait("a request through the proxy", || (!proxy.asked("/1.0/balance").is_empty()).then_some(()));
    })
    .await
    .unwrap();
}

/// A proxy that answers everything with the same bytes, for as long as the test runs.
fn proxy(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[test]
fn errors_of_a_proxy_name_the_proxy() {
    let authentication = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("c.toml");
    for (scheme, variable, url, said) in [
        (
            "https",
            "HTTPS_PROXY",
            format!("http://{}", proxy(authentication)),
            "the proxy of the environment wants a user and a password",
        ),
        (
            "http",
            "http_proxy",
            format!("http://{}", proxy(authentication)),
            "the proxy of the environment wants a user and a password",
        ),
        (
            "https",
            "https_proxy",
            format!("http://{}", proxy(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")),
            "the proxy of the environment did not connect",
        ),
        ("https", "ALL_PROXY", format!("socks5h://{}", proxy(&[5, 255])), "the proxy of the environment did not connect"),
        ("https", "HTTPS_PROXY", "http://127.0.0.1:1".to_owned(), "the proxy of the environment refused the connection"),
    ] {
        std::fs::write(
            &config,
            format!("[api]\nbase_url = \"{scheme}://pool.invalid\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n"),
        )
        .unwrap();
        let mut command = exporter();
        let output = command.env(variable, &url).args(["query", "workers", "--config.file"]).arg(&config).output().unwrap();
        let output = String::from_utf8(output.stderr).unwrap();
        assert!(output.contains(said), "{url}: {output}");
    }
}

#[test]
fn this_machine_is_never_asked_through_a_proxy() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    for variable in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        let mut command = exporter();
        let output =
            command.env(variable, "http://127.0.0.1:1").args(["query", "workers", "--account", "farm-1", "--config.file"]);
        let output = output.arg(&config).output().unwrap();
        assert!(output.status.success(), "{variable}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_secret_that_everybody_can_read_causes_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (config, secret) = (directory.path().join("c.toml"), directory.path().join("token"));
    std::fs::write(
        &config,
        "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken_file = \"token\"\n",
    )
    .unwrap();
    std::fs::write(&secret, "t\n").unwrap();
    for (mode, warned) in [(0o644, true), (0o640, false), (0o600, false)] {
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(mode)).unwrap();
        let output = exporter().arg("check").arg("--config.file").arg(&config).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.contains("everybody on this machine can read it"), warned, "{mode:o}: {text}");
    }
}
