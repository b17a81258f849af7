//! `GET /1.0/workers`: the account's active workers, by currency.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Spec, of_account};
use crate::answer::{List, Map, Number, Text, later, object};
use crate::metric::Unit::{HashesPerSecond, Seconds};
use crate::metric::{Out, counter, gauge, worker_name};

/// The answer: currency code to its workers.
pub type Workers = Map<Worker>;

object! {
    /// The workers of one currency.
    pub struct Worker {
        pub miners_count: Number = "minersCount",
        /// Hashes per second.
        pub hashrate: Number = "hashrate",
        pub hashrate_rank: Number = "hashrateRank",
        /// Each worker. MinerGate does not name workers; other pools do.
        pub miners: List<Miner> = "miners",
    }
}

object! {
    /// One worker at a pool that names workers.
    pub struct Miner {
        pub name: Text = "name",
        /// Hashes per second.
        pub hashrate: Number = "hashrate",
        /// Milliseconds since 1970.
        pub last_share: Number = "lastShare",
        pub shares: MinerShares = "shares",
    }
}

object! {
    /// A worker's shares since it first appeared at the pool.
    pub struct MinerShares {
        pub good: Number = "good",
        pub bad: Number = "bad",
        pub invalid: Number = "invalid",
    }
}

/// Puts the samples of each named worker, up to the context's limit. Names that become the same label are combined into one worker:
/// hashrates and shares are added, and the latest share counts. Workers beyond the limit are counted as dropped samples.
fn put_miners<const N: usize>(
    workers: &Workers,
    out: &mut Out<'_>,
    values: impl Fn(&Miner) -> [Option<f64>; N],
    join: fn(Option<f64>, Option<f64>) -> Option<f64>,
    mut put: impl FnMut(&mut Out<'_>, &str, &str, [Option<f64>; N]),
) {
    for (currency, worker) in workers.iter() {
        let mut by_name: BTreeMap<String, [Option<f64>; N]> = BTreeMap::new();
        for miner in &worker.miners {
            let joined = by_name.entry(worker_name(miner.name.get().unwrap_or_default())).or_insert([None; N]);
            for (joined, value) in joined.iter_mut().zip(values(miner)) {
                *joined = join(*joined, value);
            }
        }
        let limit = out.context.max_workers;
        for (name, values) in by_name.iter().take(limit) {
            put(out, currency, name, *values);
        }
        out.cut(by_name.values().skip(limit).map(|values| values.iter().flatten().map(|_| 1).sum::<u64>()).sum());
    }
}

/// The sum of the given numbers; a missing one is ignored.
fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a + b).or(a).or(b)
}

pub static SPEC: Spec<Workers> =
    of_account("workers", "/1.0/workers").every(Duration::from_secs(30)).sample(include_str!("workers.json")).metrics(&[
        gauge("workers", "Number of the account's active workers")
            .labels(&["currency"])
            .field("minersCount")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.miners_count)))),
        gauge("workers_hashrate", "Hashrate of the account's active workers")
            .unit(HashesPerSecond)
            .labels(&["currency"])
            .field("hashrate")
            .shows_use()
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.hashrate)))),
        gauge("workers_hashrate_rank", "Rank of the account among the pool's miners by hashrate of its workers")
            .labels(&["currency"])
            .field("hashrateRank")
            .read(|workers, out| out.put_all(workers.iter().map(|(currency, w)| ([currency], w.hashrate_rank)))),
        gauge("worker_hashrate", "Hashrate of one worker, at pools that name them")
            .unit(HashesPerSecond)
            .labels(&["currency", "worker"])
            .field("miners[].hashrate")
            .read(|workers, out| {
                put_miners(
                    workers,
                    out,
                    |miner| [miner.hashrate.get()],
                    sum,
                    |out, currency, name, [hashrate]| {
                        out.put([currency, name], hashrate);
                    },
                );
            }),
        gauge("worker_last_share_timestamp", "When the worker found its latest share, at pools that name workers")
            .unit(Seconds)
            .labels(&["currency", "worker"])
            .field("miners[].lastShare")
            .read(|workers, out| {
                let time = |miner: &Miner| [miner.last_share.milliseconds_as_seconds()];
                put_miners(workers, out, time, later, |out, currency, name, [time]| out.put([currency, name], time));
            }),
        counter("worker_shares", "Shares of one worker since it appeared at the pool, by result")
            .labels(&["currency", "worker", "result"])
            .field("miners[].shares")
            .read(|workers, out| {
                let shares = |miner: &Miner| [miner.shares.good.get(), miner.shares.bad.get(), miner.shares.invalid.get()];
                put_miners(workers, out, shares, sum, |out, currency, name, [good, bad, invalid]| {
                    out.put([currency, name, "good"], good);
                    out.put([currency, name, "bad"], bad);
                    out.put([currency, name, "invalid"], invalid);
                });
            }),
    ]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Context;

    fn samples(json: &str, max_workers: usize) -> (Vec<(String, String, f64)>, u64) {
        let context = Context { max_workers, ..Context::default() };
        let samples = SPEC.endpoint.read(json.as_bytes(), &context).unwrap();
        let all = samples.families().flat_map(|(family, samples)| {
            samples.map(|one| (family.sample_name(), one.labels.to_owned(), one.value)).collect::<Vec<_>>()
        });
        (all.collect(), samples.dropped)
    }

    #[test]
    fn names_that_become_the_same_label_are_one_worker() {
        let json = r#"{"xmr": {"miners": [
            {"name": "a\u0007", "hashrate": 1, "lastShare": 1000, "shares": {"good": 3}},
            {"name": "a\u0008", "hashrate": 2, "lastShare": 3000, "shares": {"good": 4, "bad": 1}},
            {"hashrate": 5}, {"name": "me@example.com", "hashrate": 7}
        ]}}"#;
        let shown: Vec<_> =
            samples(json, 10).0.into_iter().map(|(name, labels, value)| format!("{name} {labels} {value}")).collect();
        assert_eq!(
            shown,
            [
                "minergate_worker_hashrate_hashes_per_second currency=\"xmr\",worker=\"a\u{fffd}\" 3",
                "minergate_worker_hashrate_hashes_per_second currency=\"xmr\",worker=\"other\" 7",
                "minergate_worker_hashrate_hashes_per_second currency=\"xmr\",worker=\"unnamed\" 5",
                "minergate_worker_last_share_timestamp_seconds currency=\"xmr\",worker=\"a\u{fffd}\" 3",
                "minergate_worker_shares_total currency=\"xmr\",worker=\"a\u{fffd}\",result=\"good\" 7",
                "minergate_worker_shares_total currency=\"xmr\",worker=\"a\u{fffd}\",result=\"bad\" 1",
            ]
        );
    }

    #[test]
    fn workers_beyond_the_limit_are_counted() {
        let miners: Vec<_> =
            (0..5).map(|i| format!(r#"{{"name": "w{i}", "hashrate": 1, "shares": {{"good": 1, "bad": 0}}}}"#)).collect();
        let (shown, dropped) = samples(&format!(r#"{{"xmr": {{"miners": [{}]}}}}"#, miners.join(",")), 3);
        assert_eq!((shown.len(), dropped), (3 * 3, 2 * 3));
    }
}
