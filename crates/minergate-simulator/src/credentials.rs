//! The simulated accounts' credentials: the first has a password, the second a password and a TOTP secret, the third a token, and so on.

use minergate::api::{Credentials, Secret};
use totp_rs::Secret as TotpSecret;

use super::world::{self, World};

/// The credentials of an account. They are not secret.
pub(super) struct SimulatedCredentials {
    pub(super) email: String,
    pub(super) password: Option<String>,
    /// In base32.
    pub(super) totp_secret: Option<String>,
    pub(super) token: Option<String>,
}

impl From<SimulatedCredentials> for Credentials {
    fn from(SimulatedCredentials { email, password, totp_secret, token }: SimulatedCredentials) -> Credentials {
        let secret = |text: String| Secret::Value(text.into());
        match (token, password) {
            (Some(token), _) => Credentials::Token { token: secret(token), email: Some(email) },
            (None, password) => Credentials::Password {
                email,
                password: secret(password.unwrap_or_default()),
                totp: totp_secret.map(secret),
            },
        }
    }
}

pub(super) fn of(world: &World, user: u64) -> SimulatedCredentials {
    let seed = world.user_seed(user).of("way in");
    let password = || Some(seed.of("password").hex(20));
    // 160 bits, as RFC 4226 recommends.
    let totp_secret = || Some(TotpSecret::from(seed.of("totp").hex(20).into_bytes()).to_base32());
    let own = SimulatedCredentials { email: world::email(user), password: None, totp_secret: None, token: None };
    match user % 3 {
        0 => SimulatedCredentials { password: password(), ..own },
        1 => SimulatedCredentials { password: password(), totp_secret: totp_secret(), ..own },
        _ => SimulatedCredentials { token: Some(format!("simulated{}", seed.of("token").hex(48))), ..own },
    }
}
