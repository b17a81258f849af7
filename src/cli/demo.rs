//! `demo`: the simulator and the daemon in one process, for a first look.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::terminal::{self, wrapped};
use super::{Flags, shutdown};
use crate::config::{Config, Sources};
use crate::daemon;
use crate::server::{self, Listener, Web};
use minergate::endpoints::{ENDPOINTS, Endpoint};
use minergate_simulator::Simulator;

/// Only this machine can connect.
pub(super) const ADDRESS: &str = "127.0.0.1:10187";

pub(super) async fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::new(minergate_simulator::Config::default());
    let simulated = TcpListener::bind("127.0.0.1:0").await?;
    let api = format!("http://{}", simulated.local_addr()?);
    let text = simulator.exporter_config(&api) + &format!("\n[web]\nlisten_address = [\"{ADDRESS}\"]\n") + &poll();
    let config = Config::load(Sources { text: Some(&text), flags: flags.values(), ..Sources::default() })?;
    config.log.init();
    let web = Web::load(config.web.config_file.as_deref())?;
    let listeners = server::listen(config.web.systemd_socket, &config.web.listen_address).await?;
    if let Some(address) = listeners.first().map(Listener::address) {
        let path = &config.web.telemetry_path;
        let scheme = if web.is_tls() { "https" } else { "http" };
        let what = "The demo polls a simulated MinerGate API with three accounts: a password, a password with TOTP, a ready-made token. \
                    The fourth account has a wallet at a simulated pool that runs nodejs-pool.";
        let next = "Where to look next, in the repository or in /usr/share/doc/minergate-exporter of a package:";
        let text = format!(
            "\n{}\n\n\
             Open:\n  \
             status page      {scheme}://{address}/\n  \
             metrics          {scheme}://{address}{path}\n  \
             simulated API    {api}/1.0/pool/profit-rating\n  \
             simulated pool   {api}/nodejs-pool/network/stats\n\n\
             For Prometheus:\n  \
             scrape_configs:\n    \
             - job_name: minergate\n      \
             scheme: {scheme}\n      \
             metrics_path: {path}\n      \
             static_configs:\n        \
             - targets: [\"{address}\"]\n\n\
             {}\n  \
             dashboards for Grafana  docs/dashboards.md\n  \
             metrics and alerts      docs/metrics.md, docs/runbooks/README.md\n  \
             your own accounts       docs/configuration.md\n  \
             wallets at pools        docs/pools.md\n  \
             a configuration         minergate-exporter reference config >my.toml\n  \
             whether it is right     minergate-exporter check --config.file my.toml\n\n\
             Ctrl-C ends it.\n\n",
            wrapped(what, 0),
            wrapped(next, 0),
        );
        terminal::announce(text).await;
    }
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let simulation = tokio::spawn(simulator.serve(simulated, async {
        let _ = stopped.await;
    }));
    let flags = flags.values();
    let load = Arc::new(move || Config::load(Sources { text: Some(&text), flags: flags.clone(), ..Sources::default() }));
    daemon::run(config, load, (listeners, web), mpsc::channel(1), shutdown::requested()?).await?;
    let _ = stop.send(());
    simulation.abort();
    Ok(ExitCode::SUCCESS)
}

/// Intervals for a demonstration. They are shorter than one would use for a real pool.
fn poll() -> String {
    let seconds = |endpoint: &Endpoint| (endpoint.interval.as_secs() / 40).clamp(5, 30);
    let lines = ENDPOINTS.iter().map(|endpoint| format!("{} = \"{}s\"\n", endpoint.name, seconds(endpoint)));
    format!("\n[poll]\n{}", lines.collect::<String>())
}
