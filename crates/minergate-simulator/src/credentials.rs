//! The simulated accounts' credentials: the first has a password, the second a TOTP code besides, the third a token, and so on.

use minergate_server::{Credentials, TotpSecret};

use super::world::{self, World};

pub(super) fn of(world: &World, user: u64) -> Credentials {
    let seed = world.user_seed(user).of("way in");
    let password = || Some(seed.of("password").hex(20).into());
    // 160 bits, as RFC 4226 wants it.
    let totp_secret = || Some(TotpSecret::new(seed.of("totp").hex(20).into_bytes()));
    let own = Credentials { email: Some(world::email(user)), ..Credentials::default() };
    match user % 3 {
        0 => Credentials { password: password(), ..own },
        1 => Credentials { password: password(), totp_secret: totp_secret(), ..own },
        _ => Credentials { token: Some(format!("simulated{}", seed.of("token").hex(48)).into()), ..own },
    }
}
