//! The four worlds: what the simulator does in each, and how its samples change over time.

use crate::grafana::world::{Plan, World, kept};

pub(super) const HEALTHY: Plan = Plan {
    name: "healthy",
    simulator: &["--accounts", "1"],
    apart: true,
    unreadable: 0,
    gone: 0,
    change: |_, value, _| Some(value),
};

/// Accounts and their endpoint that can't be read; no endpoint is all.
const FAILING: &[(&str, &str)] = &[("farm-1", ""), ("farm-2", "workers"), ("farm-4", ""), ("farm-5", "withdrawals")];

pub(super) const FAULTY: Plan = Plan {
    name: "faulty",
    simulator: &[
        "--accounts",
        "60",
        "--fault",
        "login/captcha@farm-1",
        "--fault",
        "workers/500@farm-2",
        "--fault",
        "balance/429=2s:0.3@farm-3",
        "--fault",
        "500@farm-4",
        "--fault",
        "withdrawals/html@farm-5",
    ],
    apart: false,
    // Ten of farm-1, one of farm-2, ten of farm-4 and one of farm-5.
    unreadable: 22,
    gone: 0,
    change: |series, value, ago| {
        let is_of = |account: &str| series.contains(&format!("account=\"{account}\""));
        let is_at = |endpoint: &str| endpoint.is_empty() || series.contains(&format!("endpoint=\"{endpoint}\""));
        let since = f64::from(u32::try_from((3 * 3600_u64).saturating_sub(ago)).unwrap());
        let lately = since > 0.0;
        match series.split_once('{').map_or(series, |(name, _)| name) {
            // Errors have no series before they occur.
            "minergate_api_requests_total" if !series.contains("\"ok\"") => {
                lately.then(|| (value * since / f64::from(3 * 3600)).ceil())
            }
            // This one was read before.
            "minergate_endpoint_up" if is_of("farm-3") && is_at("balance") => Some(0.0),
            "minergate_up" if is_of("farm-3") => Some(0.0),
            // A pause lasts seconds here, so it is not in the whole history.
            "minergate_endpoint_up" if !FAILING.iter().any(|(account, endpoint)| is_of(account) && is_at(endpoint)) => {
                Some(1.0)
            }
            "minergate_up" if !FAILING.iter().any(|(account, _)| is_of(account)) => Some(1.0),
            // Faults of hashrates and of shares.
            name if lately && is_of("farm-7") && name.contains("hashrate_hash") => Some(value / 2.0),
            "minergate_workers" | "minergate_workers_hashrate_hashes_per_second" if lately && is_of("farm-9") => None,
            "minergate_mining_shares_total" if lately && is_of("farm-11") && series.contains("\"bad\"") => {
                Some(value + 0.1 * since)
            }
            _ => Some(value),
        }
    },
};

pub(super) const DEAD: Plan = Plan { name: "dead", simulator: &["--accounts", "3"], gone: 3600, ..HEALTHY };

pub(super) const WALLETS: Plan = Plan {
    name: "wallets",
    simulator: &["--accounts", "0", "--wallets", "2"],
    apart: false,
    unreadable: 0,
    gone: 0,
    // One worker vanished three hours ago: it has no hashrate, and its last share stays what it was.
    change: |series, value, ago| {
        let name = series.split_once('{').map_or(series, |(name, _)| name);
        let since = f64::from(u32::try_from((3 * 3600_u64).saturating_sub(ago)).unwrap());
        match name {
            _ if since == 0.0 || !series.contains("account=\"rig-1\"") => Some(value),
            "minergate_workers" | "minergate_mining_workers" => Some(value - 1.0),
            _ if !series.contains("worker=\"garage.2\"") => Some(value),
            "minergate_worker_hashrate_hashes_per_second" => None,
            "minergate_worker_last_share_timestamp_seconds" => Some(value - since),
            _ => Some(value),
        }
    },
};

/// Makes a world, in the directory of `GRAFANA_WORLDS` if that is set.
pub(super) fn world(plan: &Plan) -> (World, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let kept = kept().map(|kept| kept.join(plan.name));
    (World::make(kept.as_deref().unwrap_or(directory.path()), plan), directory)
}
