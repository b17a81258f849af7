//! The schedule of faults: rules for the simulator, round by round, drawn from a seed.

use minergate_simulator::FAULTS;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

/// Faults that make the exporter pause all requests to the host, those of healthy accounts too. So their times are
/// short, and they are only in the last rounds.
const HOST_WIDE: &[&str] = &["429", "429-date", "503"];

/// Answers to a login that block further logins.
const STOPS: &[&str] = &["wrong-password", "totp-required", "captcha", "discontinued"];

/// Faults of reads that a login can't have.
const OF_READS: &[&str] = &["expired-token", "frozen", "correction", "counter-reset"];

/// Faults that only wallets can have. This test has no wallets.
pub(super) const OF_WALLETS: &[&str] = &["wallet-unknown"];

/// Rounds, and how many at the end are host-wide.
const ROUNDS: usize = 14;
const HOST_WIDE_ROUNDS: usize = 5;

/// The accounts that get faults, those of them that log in, and those whose logins can be blocked: not all, since nothing
/// more would happen to them.
const DRAWN: &[u32] = &[2, 3, 5, 6, 7, 8, 9, 10, 11, 12];
const WITH_PASSWORD: &[u32] = &[2, 5, 7, 8, 10, 11];
const STOPPED: &[u32] = &[2, 7];

/// How often each fault occurs.
const DEALT: usize = 3;

/// The rules of one round.
pub(super) struct Round {
    pub(super) rules: Vec<String>,
    pub(super) is_host_wide: bool,
}

/// The rounds. Every fault of the table but those of wallets comes several times, each for one of the accounts farm-2 to farm-12.
///
/// In the first round, farm-1's login needs a captcha, and farm-4's fails once. These two have no other faults, so that their
/// later state is certain.
pub(super) fn rounds(seed: u64) -> Vec<Round> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut rounds: Vec<Round> =
        (0..ROUNDS).map(|round| Round { rules: Vec::new(), is_host_wide: round >= ROUNDS - HOST_WIDE_ROUNDS }).collect();
    let opening = ["login/captcha@farm-1", "expired-token@farm-1", "login/500@farm-4", "expired-token@farm-4"];
    rounds[0].rules.extend(opening.map(str::to_owned));
    for (is_host_wide, range) in [(false, 0..ROUNDS), (true, ROUNDS - HOST_WIDE_ROUNDS..ROUNDS)] {
        let faults = FAULTS.iter().map(|fault| fault.name).filter(|name| !OF_WALLETS.contains(name));
        let faults = faults.filter(|name| HOST_WIDE.contains(name) == is_host_wide);
        let mut faults: Vec<&str> = faults.flat_map(|name| [name; DEALT]).collect();
        faults.shuffle(&mut random);
        for (fault, round) in faults.into_iter().zip(range.cycle()) {
            rounds[round].rules.extend(rules(fault, &mut random));
        }
    }
    rounds
}

/// A fault's rules: one, or for a fault of logins another that makes the account log in.
fn rules(fault: &str, random: &mut StdRng) -> Vec<String> {
    let rate = (random.random_range(0.05..=1.0_f64) * 100.0).round() / 100.0;
    let time = match fault {
        "latency" => ["=300ms", "=1s", "=3s"].choose(random).unwrap(),
        "slow-body" => ["=1ms", "=1s"].choose(random).unwrap(),
        "429" | "503" => ["=0s", "=1s"].choose(random).unwrap(),
        // The date is that of the next whole second.
        "429-date" => "=0s",
        _ => "",
    };
    let is_stop = STOPS.contains(&fault);
    let of_login = is_stop || fault == "login-internal" || (!OF_READS.contains(&fault) && random.random_bool(0.2));
    let accounts = match (is_stop, of_login) {
        (true, _) => STOPPED,
        (_, true) => WITH_PASSWORD,
        _ => DRAWN,
    };
    let account = accounts.choose(random).unwrap();
    if of_login {
        vec![format!("login/{fault}{time}:{rate}@farm-{account}"), format!("expired-token:{rate}@farm-{account}")]
    } else {
        vec![format!("{fault}{time}:{rate}@farm-{account}")]
    }
}
