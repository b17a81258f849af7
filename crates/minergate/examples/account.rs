//! Prints an account's balances and workers, read with the typed client.
//!
//! To run it against the simulator (its configuration file has a token for the third account):
//!
//! ```sh
//! minergate-exporter simulate --write-config simulated.toml
//! cargo run --package minergate --example account -- http://127.0.0.1:10188 TOKEN
//! ```

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;

use minergate::api::{self, Account, Client, Credentials, Secret, Settings};
use minergate::endpoints::{Request, balance, status, workers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(base_url), Some(token)) = (arguments.next(), arguments.next()) else {
        return Err("give the API's base URL and a token".into());
    };
    // The client keeps the limits, timeouts and retries. One client can serve any number of accounts.
    let client = Client::new(&Settings::new(api::parse_base_url(&base_url)?), Arc::new(|_| ()))?;
    // With `Credentials::Password`, the client logs in when necessary.
    let credentials = Credentials::Token { token: Secret::of_text(&token)?, email: None };
    let account = Account::new("mine", credentials, None);

    let mut out = io::stdout();
    for (currency, coins) in balance::SPEC.fetch(&client, Request::of(&account)).await?.iter() {
        // A value that the API did not give is missing, not 0.
        if let Some(coins) = coins.get() {
            writeln!(out, "{currency}: {coins} coins")?;
        }
    }
    for (currency, worker) in workers::SPEC.fetch(&client, Request::of(&account)).await?.iter() {
        let (count, hashrate) = (worker.miners_count.get(), worker.hashrate.get());
        writeln!(out, "{currency}: {} workers, {} H/s", count.unwrap_or(f64::NAN), hashrate.unwrap_or(f64::NAN))?;
    }
    match status::SPEC.fetch(&client, Request::default().about("xmr")).await {
        Ok(network) => writeln!(out, "xmr: height {:?}", network.height.get())?,
        // Each kind of error has its own variant. Its text never contains a secret.
        Err(api::Error::NotFound) => writeln!(out, "xmr: the API does not know it")?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
