//! Warnings about the configuration: settings that work but should be changed.

use std::path::Path;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::Config;
use minergate::api::{self, Secret, Url};
use minergate::{currency, duration, file};

/// Maximum number of files that are checked at once.
pub(super) const FILES_AT_ONCE: usize = 64;

impl Config {
    /// The warnings, one sentence each. None contains the path of a secret's file, because the path can be a misplaced secret.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = self.exposed_secrets().await;
        warnings.extend(self.unwritable_state_directory().await);
        if let Some(url) = self.api.as_ref().map(|api| &api.base_url) {
            let host = url.host_str().unwrap_or_default();
            if host == api::PUBLIC_HOST {
                warnings.push(format!("api.base_url: {host} has answered ApiDiscontinued since 2019; give another"));
            }
            if is_plain(url) {
                warnings.push("api.base_url is not https: passwords and tokens can be read on the way".to_owned());
            }
        }
        warnings.extend(self.pool_warnings().await);
        for (endpoint, interval) in self.plan.intervals.hasty() {
            let (interval, default) = (duration::print(interval), duration::print(endpoint.interval));
            let key = endpoint.name;
            warnings.push(format!(
                "poll.{key}: every {interval} is more often than the pool has news; the default is {default}"
            ));
        }
        let is_unknown = |code: &&String| !currency::is_documented(code) && self.pool_of(code).is_none();
        let unknown = self.plan.currencies.iter().flatten().filter(is_unknown).count();
        if unknown > 0 {
            warnings.push(format!(
                "currencies: {unknown} of them the API's documentation does not know; are they spelled right?"
            ));
        }
        warnings
    }

    /// Files with secrets that all users of the machine can read. A file that does not answer in time is left out.
    async fn exposed_secrets(&self) -> Vec<String> {
        // An address gives no access to anything, so other users may read its file.
        let logins = || self.logins.iter().map(|(name, credentials)| (name, credentials));
        let all = self.accounts.iter().map(|account| (account.name(), account.credentials())).chain(logins());
        let mut secrets = all.flat_map(|(_, credentials)| credentials.secrets());
        let own = self.file.as_deref().filter(|_| secrets.any(|secret| matches!(secret, Secret::Value(_))));
        let own = own.map(|path| (path.display().to_string(), path));
        let polled = self.plan.accounts.iter().map(|(account, _)| (account.name(), account.credentials()));
        let of_accounts = polled.chain(logins()).flat_map(|(account, credentials)| {
            credentials.secrets().filter_map(move |secret| match secret {
                Secret::File { name, path } => Some((format!("account {account}: the file of {name}"), path.as_path())),
                Secret::Value(_) => None,
            })
        });
        let files = own
            .into_iter()
            .chain(of_accounts)
            .map(async |(name, path): (String, &Path)| (api::is_exposed(path).await, name));
        let mut files = std::pin::pin!(stream::iter(files).buffered(FILES_AT_ONCE));
        let deadline = Instant::now() + file::TIMEOUT;
        let mut warnings = Vec::new();
        while let Ok(Some((is_exposed, name))) = timeout_at(deadline, files.next()).await {
            if is_exposed {
                warnings.push(format!("{name} holds a secret, and everybody on this machine can read it; chmod o-r it"));
            }
        }
        warnings
    }

    /// Why no state can be stored although it should be. This creates and removes a temporary file, because permissions are not enough: the
    /// file system can be read-only or full.
    async fn unwritable_state_directory(&self) -> Option<String> {
        let directory = self.state_directory.as_deref()?;
        let own = directory.to_owned();
        let probe = move || tempfile::Builder::new().prefix(".probe-").tempfile_in(own)?.close();
        let reason = file::run(directory, probe).await.and_then(|made| made.map_err(file::Error::from)).err()?;
        let remedy = "give an existing directory that this user can write to";
        Some(format!(
            "state_directory or $STATE_DIRECTORY: {reason}; a restart can send a TOTP code or rejected credentials again; {remedy}"
        ))
    }
}

/// Whether requests to this URL can be read on the way.
pub(super) fn is_plain(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    url.scheme() == "http" && !is_here
}
