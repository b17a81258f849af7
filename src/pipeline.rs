//! What polls, and what shows the values: client, poller, store and health, put together.

use std::sync::Arc;

use minergate::api::{self, Client, Observer, Settings};

use crate::exposition::Exposition;
use crate::health::{Health, patience};
use crate::poller::{Plan, Poller};
use crate::store::Store;

pub struct Pipeline {
    pub client: Arc<Client>,
    pub poller: Poller<Client>,
    pub exposition: Arc<Exposition>,
}

impl Pipeline {
    /// # Errors
    /// As [`Client::new`].
    pub fn new(settings: &Settings, plan: Plan) -> api::Result<Pipeline> {
        let (store, health) = (Arc::new(Store::default()), Arc::new(Health::default()));
        health.liveness.set_patience(patience(settings.timeout, settings.requests_per_second));
        let watched = health.clone();
        let observer: Observer = Arc::new(move |event| watched.observe(event));
        let client = Arc::new(Client::new(settings, observer)?);
        let poller = Poller::new(client.clone(), plan, store.clone(), health.clone());
        Ok(Pipeline { client, poller, exposition: Arc::new(Exposition::new(store, health)) })
    }
}
