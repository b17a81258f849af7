//! Mining pools that are alive, read in the words of the MinerGate API.
//!
//! A pool is asked about a wallet, and its answer becomes the JSON of the MinerGate API's method: so whatever reads that API reads these
//! pools. What a pool does not say is missing.
//!
//! | file | what it is |
//! | --- | --- |
//! | `software.rs` | the table of pool softwares |
//! | `software/x.rs` | one software: which paths it is asked, and what its answers say |
//! | `reading.rs` | what an upstream answer says, and the API's JSON made of it |
//! | `pool.rs` | a pool and its wallets, asked within the pool's limits |
//! | `cache.rs` | upstream answers that are kept, one request in flight for a wallet |

pub mod address;
mod block_time;
mod cache;
mod name;
mod pool;
mod reading;
mod refusal;
mod software;
mod value;

pub use self::block_time::block_time;
pub use self::pool::{Answer, Pool, Settings, Wallet};
pub use self::reading::Context;
pub use self::software::{SOFTWARES, Software};
