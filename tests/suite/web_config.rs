//! The web configuration file.

mod files;
mod mistakes;
mod served;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minergate_exporter::server::Web;
use rcgen::{CertificateParams, KeyPair};

use crate::process::{Answer, Process, daemon, get};

/// `htpasswd -nBC 5`'s hash of "secret".
pub(crate) fn hash(password: &str) -> String {
    bcrypt::hash(password, 5).unwrap().replacen("$2b$", "$2y$", 1)
}

/// A configuration with an API that does not exist.
pub(crate) fn config(directory: &Path) -> PathBuf {
    let path = directory.join("c.toml");
    let text = "[api]\nbase_url = \"http://127.0.0.1:1\"\n[[accounts]]\nname = \"a\"\ntoken = \"t\"\n";
    fs::write(&path, text).unwrap();
    path
}

/// The daemon with a web configuration.
pub(crate) fn serving(directory: &Path, web: &str) -> (Process, String) {
    let path = directory.join("web.yml");
    fs::write(&path, web).unwrap();
    daemon(&config(directory), &["--web.config.file", path.to_str().unwrap()])
}

/// Writes a certificate for localhost and its key.
pub(crate) fn write_certificate(directory: &Path) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    fs::write(directory.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
}

fn load(directory: &Path, text: &str) -> Result<Vec<String>, String> {
    let path = directory.join("web.yml");
    fs::write(&path, text).unwrap();
    let name = format!("{}", path.display());
    let plain = |text: String| text.replace(&name, "web.yml").replace(&format!("{}/", directory.display()), "");
    match Web::load(Some(&path)) {
        Ok(web) => Ok(web.warnings().into_iter().map(plain).collect()),
        Err(error) => Err(plain(format!("{error:#}"))),
    }
}

pub(crate) fn ask(url: &str, user: &str) -> Answer {
    get(url, &[("authorization", &format!("Basic {}", STANDARD.encode(user)))])
}
