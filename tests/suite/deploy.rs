//! deploy/: the exporter can be started as its files say, and they have the present version and the simulator's accounts.

use std::fs;

use serde_json::Value;

use crate::process::{Process, exporter, get, simulator, wait};
use crate::repository::read;

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The value of a key of a simulated account, from `simulate --write-config`.
fn value(config: &str, key: &str) -> String {
    let (_, rest) = config.split_once(&format!("\n{key} = \"")).unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn the_stateful_set_can_be_started_probed_and_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, simulated) = simulator(directory.path(), &["--accounts", "1"]);
    let simulated = fs::read_to_string(simulated).unwrap();
    // The mounted ConfigMap and Secret, with the simulator's values instead of the examples.
    let config = directory.path().join("config.toml");
    let shipped = read("deploy/kubernetes/base/config.toml");
    let filled = shipped
        .replace("https://minergate.example.com", &value(&simulated, "base_url"))
        .replace("me@example.com", &value(&simulated, "email"));
    fs::write(&config, filled).unwrap();
    fs::write(directory.path().join("farm-password"), value(&simulated, "password")).unwrap();

    let set = yaml("deploy/kubernetes/base/statefulset.yaml");
    let pod = &set["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let ordinal = set["spec"]["ordinals"]["start"].to_string();
    let mut command = exporter();
    command.env("CREDENTIALS_DIRECTORY", directory.path()).args(["--web.listen-address", "127.0.0.1:0"]);
    for argument in strings(&container["args"]) {
        let argument = argument.replace("$(POD_INDEX)", &ordinal);
        command.arg(argument.replace("/etc/minergate-exporter/config.toml", config.to_str().unwrap()));
    }
    let mut exporter = Process::start(&mut command);
    let line = exporter.wait_for("address=");
    let base = format!("http://{}", line.split(' ').next().unwrap());

    let path = |probe: &str| container[probe]["httpGet"]["path"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("{base}{}", path("livenessProbe")), &[]).status, 200);
    wait("readiness", || (get(&format!("{base}{}", path("readinessProbe")), &[]).status == 200).then_some(()));
    wait("the account's values", || {
        get(&format!("{base}/metrics"), &[]).text().contains("\nminergate_workers{").then_some(())
    });
    exporter.signal("TERM");
    assert_eq!(exporter.exit_code(), Some(0));
}

#[test]
fn the_state_directory_is_on_a_volume_everywhere() {
    let dockerfile = read("Dockerfile");
    let directory = dockerfile.lines().find_map(|line| line.strip_prefix("ENV STATE_DIRECTORY=")).unwrap();
    assert!(dockerfile.contains(&format!("COPY --from=build --chown=65532:65532 /state {directory}\n")));

    let compose = yaml("deploy/compose/compose.yaml");
    assert!(strings(&compose["services"]["exporter"]["volumes"]).contains(&format!("exporter:{directory}")));
    assert!(compose["volumes"].as_object().unwrap().contains_key("exporter"));
    assert_eq!(compose["services"]["exporter"]["read_only"], true);

    let set = yaml("deploy/kubernetes/base/statefulset.yaml");
    let pod = &set["spec"]["template"]["spec"];
    let claim = &set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"] == *claim).unwrap();
    assert_eq!((mount["mountPath"].as_str(), mount.get("readOnly")), (Some(directory), None));
    assert_eq!(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);

    let unit = read("deploy/systemd/minergate-exporter.service");
    assert!(unit.contains(&format!("\nStateDirectory={}\n", directory.trim_start_matches("/var/lib/"))));
}

#[test]
fn the_state_directory_of_the_environment_keeps_the_totp_steps() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let state = directory.path().join("state");
    fs::create_dir(&state).unwrap();
    let mut command = exporter();
    command.env("STATE_DIRECTORY", &state).arg("--config.file").arg(config);
    let mut exporter = Process::start(command.args(["--web.listen-address", "127.0.0.1:0"]));
    // The name has to be waited for: at its start, the exporter makes and removes a temporary file there.
    wait("the state of the account with TOTP", || state.join("totp-farm%2D2").is_file().then_some(()));
    exporter.signal("TERM");
    assert_eq!(exporter.exit_code(), Some(0));
}

#[test]
fn files_name_this_version() {
    let image = format!("minergate-exporter:{}", env!("CARGO_PKG_VERSION"));
    for path in [
        "deploy/compose/compose.yaml",
        "deploy/kubernetes/base/statefulset.yaml",
        "deploy/kubernetes/components/simulator/simulator.yaml",
    ] {
        let text = read(path);
        let named: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("image: minergate-")).collect();
        assert!(!named.is_empty(), "{path} names no image");
        assert!(
            named.iter().all(|name| image == format!("minergate-{name}")),
            "{path} names {named:?}, and this is {image}"
        );
    }
    let version = format!("\nARG VERSION={}\n", env!("CARGO_PKG_VERSION"));
    assert!(read("Dockerfile").contains(&version), "the Dockerfile's version is another");
}

#[test]
fn simulated_accounts_are_those_of_the_simulator() {
    let directory = tempfile::tempdir().unwrap();
    let (_simulator, config) = simulator(directory.path(), &[]);
    let accounts = |text: &str| text.split_once("[[accounts]]").unwrap().1.to_owned();
    let written = accounts(&fs::read_to_string(config).unwrap());
    for path in ["deploy/compose/simulator.toml", "deploy/kubernetes/components/simulator/config.toml"] {
        assert_eq!(accounts(&read(path)), written, "{path}");
    }
}
