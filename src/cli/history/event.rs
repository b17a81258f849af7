//! Past events from the account's lists, with their times.

use rust_decimal::Decimal;

use minergate::answer::{Number, Text};
use minergate::api::{self, Account, Client};
use minergate::currency;
use minergate::endpoints::withdrawals::Withdrawals;
use minergate::endpoints::{Request, invoices, transfers, withdrawals};
use minergate::metric::write_label;
use minergate_pools::Wallet;

/// The beginning of 2009 in Unix seconds, before the first coin. An earlier time is invalid.
const FIRST_COIN: f64 = 1_230_768_000.0;

/// A single event.
pub(super) struct Event {
    /// Unix seconds.
    pub(super) time: f64,
    /// The labels without `account`, as text.
    pub(super) labels: String,
    pub(super) amount: Option<Decimal>,
    pub(super) fee: Option<Decimal>,
}

/// The contents of a list: events, and the number of finished entries without a usable time or currency.
#[derive(Default)]
pub(super) struct Events {
    pub(super) events: Vec<Event>,
    pub(super) unusable: usize,
}

impl Events {
    /// Adds an entry if it is finished. Other entries may never finish.
    fn add(
        &mut self,
        state: Option<&str>,
        currency: &Text,
        direction: Option<&str>,
        time: Option<f64>,
        now: f64,
    ) -> Option<&mut Event> {
        if state != Some("finished") {
            return None;
        }
        let code = currency.get().filter(|code| currency::is_valid(code));
        let time = time.filter(|time| (FIRST_COIN..=now).contains(time));
        let (Some(code), Some(time)) = (code, time) else {
            self.unusable += 1;
            return None;
        };
        let mut labels = String::new();
        write_label(&mut labels, "currency", code);
        if let Some(direction) = direction {
            labels.push(',');
            write_label(&mut labels, "direction", direction);
        }
        self.events.push(Event { time, labels, amount: None, fee: None });
        self.events.last_mut()
    }
}

/// Reads all pages of the payments to a wallet.
pub(super) async fn payments(wallet: &Wallet, now: f64) -> api::Result<Events> {
    let answer = wallet.payments_all(None).await?;
    Ok(sorted(of_withdrawals(&api::decode(answer.json.as_bytes())?, now)))
}

fn of_withdrawals(withdrawals: &Withdrawals, now: f64) -> Events {
    let mut events = Events::default();
    for w in withdrawals {
        if let Some(event) = events.add(w.status.get(), &w.cc, None, w.created.get(), now) {
            (event.amount, event.fee) = (w.amount.decimal(), w.fee.decimal());
        }
    }
    events
}

fn sorted(mut events: Events) -> Events {
    events.events.sort_by(|a, b| a.time.total_cmp(&b.time));
    events
}

/// Reads the list of an endpoint.
pub(super) async fn read(endpoint: &str, client: &Client, account: &Account, now: f64) -> api::Result<Events> {
    let mut events = Events::default();
    let request = Request::of(account);
    match endpoint {
        "withdrawals" => events = of_withdrawals(&withdrawals::SPEC.fetch(client, request).await?, now),
        "transfers" => {
            for t in &transfers::SPEC.fetch(client, request).await? {
                let time = t.created.milliseconds_as_seconds();
                if let Some(event) = events.add(t.state.get(), &t.cc, Some(t.direction(account.email())), time, now) {
                    event.amount = t.amount.decimal();
                }
            }
        }
        _ => {
            for i in &invoices::SPEC.fetch(client, request).await?.0 {
                let time = Number::or(i.finished, i.created).milliseconds_as_seconds();
                if let Some(event) = events.add(Some(i.state()), &i.cc, None, time, now) {
                    event.amount = i.amount.decimal();
                }
            }
        }
    }
    Ok(sorted(events))
}
