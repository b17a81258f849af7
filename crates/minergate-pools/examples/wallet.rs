//! Prints the hashrate and the balance of a wallet at a pool.
//!
//! The address is given in the environment, since lists of processes show arguments to everybody:
//!
//! ```sh
//! export WALLET=4...
//! cargo run --package minergate-pools --example wallet -- https://supportxmr.com/api nodejs-pool xmr
//! ```

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;

use minergate::api::{self, Secret};
use minergate::endpoints::balance::Balance;
use minergate::endpoints::find;
use minergate::endpoints::workers::Workers;
use minergate_pools::{Pool, SOFTWARES, Settings, Software, block_time};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(software), Some(currency)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("give the pool's URL, its software and the code of its coin, and the address in WALLET".into());
    };
    let address = Secret::of_text(&std::env::var("WALLET").map_err(|_| "set WALLET to the wallet's address")?)?;
    let Some(software) = Software::find(&software) else {
        let names: Vec<&str> = SOFTWARES.iter().map(|software| software.name).collect();
        return Err(format!("no such software; give one of {}", names.join(", ")).into());
    };
    let pool = Pool::new(
        Settings {
            name: "pool".into(),
            software,
            decimals: software.decimals(&currency).ok_or("the decimals of this coin are not known")?,
            block_time: block_time(&currency).ok_or("the block time of this coin is not known")?,
            currency: currency.as_str().into(),
            max_age: Settings::MAX_AGE,
            http: api::Settings {
                requests_per_second: Settings::REQUESTS_PER_SECOND,
                burst: Some(Settings::BURST),
                concurrency: Settings::CONCURRENCY,
                ..api::Settings::new(api::parse_base_url(&url)?)
            },
        },
        Arc::new(|_| ()),
    )?;
    let wallet = Arc::new(pool).wallet("mine".into(), address);

    let mut out = io::stdout();
    let answer = wallet.answer(find("workers").ok_or("no workers")?, None).await?;
    let read: Workers = api::decode(answer.json.as_bytes())?;
    for (currency, worker) in read.iter() {
        // A value that the pool did not give is missing, not 0.
        if let Some(hashrate) = worker.hashrate.get() {
            writeln!(out, "{currency}: {hashrate} H/s")?;
        }
    }
    let answer = wallet.answer(find("balance").ok_or("no balance")?, None).await?;
    let read: Balance = api::decode(answer.json.as_bytes())?;
    for (currency, coins) in read.iter() {
        if let Some(coins) = coins.get() {
            writeln!(out, "{currency}: {coins} coins")?;
        }
    }
    Ok(())
}
