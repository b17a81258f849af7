//! A fake pool, and the sample answers of each software.

use tokio::runtime::{Builder, Runtime};

use crate::fake_api::{Asked, FakeApi, Reply};

/// A fake server with a runtime of its own, for tests without one. It serves until it is dropped.
pub(super) struct FakePool {
    pub(super) url: String,
    api: FakeApi,
    _runtime: Runtime,
}

impl FakePool {
    /// `answer` gets the path and the query.
    pub(super) fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> FakePool {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let api = runtime.block_on(FakeApi::start(move |asked| answer(&asked.path)));
        FakePool { url: api.base_url.clone(), api, _runtime: runtime }
    }

    /// The requests so far, in the order in which they came.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.api.all_asked()
    }

    /// How many of them have a path that contains the text.
    pub(super) fn count(&self, part: &str) -> usize {
        self.asked().iter().filter(|asked| asked.path.contains(part)).count()
    }
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../crates/minergate-pools/src/software/", $name))
    };
}

/// The crate's sample answers of `nodejs-pool`. Every wallet has the same.
pub(crate) fn nodejs(path: &str) -> Reply {
    let body = match path {
        "/network/stats" => sample!("nodejs_pool/network.json"),
        path if path.ends_with("/stats/allWorkers") => sample!("nodejs_pool/all_workers.json"),
        path if path.ends_with("/stats") => sample!("nodejs_pool/stats.json"),
        path if path.contains("/payments?") => sample!("nodejs_pool/payments.json"),
        path if path.starts_with("/user/") => sample!("nodejs_pool/user.json"),
        _ => return Reply::new(404, "<html>"),
    };
    Reply::new(200, body)
}

/// Those of `cryptonote-nodejs-pool`.
pub(crate) fn cryptonote(path: &str) -> Reply {
    let body = match path.split('?').next().unwrap() {
        "/stats_address" => sample!("cryptonote_nodejs_pool/stats_address.json"),
        "/get_miner_payout_level" => sample!("cryptonote_nodejs_pool/payout_level.json"),
        "/get_top10miners" => sample!("cryptonote_nodejs_pool/top10.json"),
        "/stats" => sample!("cryptonote_nodejs_pool/stats.json"),
        _ => return Reply::new(404, "Invalid API call"),
    };
    Reply::new(200, body)
}

/// Those of `open-ethereum-pool`.
pub(crate) fn ethereum(path: &str) -> Reply {
    match path {
        "/api/stats" => Reply::new(200, sample!("open_ethereum_pool/stats.json")),
        path if path.starts_with("/api/accounts/") => Reply::new(200, sample!("open_ethereum_pool/accounts.json")),
        _ => Reply::new(404, ""),
    }
}
