//! Today's mining pools, read as the MinerGate API.
//!
//! A pool's answer about a wallet becomes the JSON of a method of the MinerGate API, so that every reader of that API can read these pools.
//! A value that the pool does not give is missing.
//!
//! | file | what it is |
//! | --- | --- |
//! | `software.rs` | the table of pool softwares |
//! | `software/x.rs` | one software: its paths, and how its answers are read |
//! | `reading.rs` | the values of an upstream answer, and the API's JSON made from them |
//! | `pool.rs` | a pool and its wallets; requests keep the pool's limits |
//! | `cache.rs` | a cache of upstream answers; one request per wallet is in flight at a time |

pub mod address;
mod block_time;
mod cache;
mod name;
mod pool;
mod pool_error;
mod reading;
mod software;
mod value;

pub use self::block_time::block_time;
pub use self::pool::{Answer, Pool, Settings, Wallet};
pub use self::reading::Context;
pub use self::software::{SOFTWARES, Software};
