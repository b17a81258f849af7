//! Mining pools that are alive, read in the words of the MinerGate API.
//!
//! A pool is asked about a wallet, and its answer becomes the JSON of the MinerGate API's method: so whatever reads that API reads these
//! pools. What a pool does not say is missing.

pub mod address;
mod block_time;
mod pool;
mod software;

pub use self::block_time::block_time;
pub use self::pool::{Answer, Pool, Settings, Wallet};
pub use self::software::{SOFTWARES, Software};
