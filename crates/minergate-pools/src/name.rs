//! Names of workers, without personal data.

use std::collections::HashSet;

use minergate::answer::Text;

use crate::address;

/// A name that has a run of this many characters in common with the address contains a part of the address.
const PART: usize = 8;

/// Decides which names of a wallet's workers may be shown.
pub(crate) struct Names {
    /// Every run of [`PART`] bytes of the address, in lower case.
    parts: HashSet<[u8; PART]>,
}

impl Names {
    /// For the workers of the wallet with this address.
    pub(crate) fn of(address: &str) -> Names {
        Names { parts: parts(address).collect() }
    }

    /// A worker's name as it may be shown. A miner without a name, which pools call `undefined` or `x`, becomes `unnamed`. A name with an
    /// e-mail address, a part of the wallet's address, or what looks like another address becomes `other`.
    pub(crate) fn shown(&self, name: &str) -> Text {
        let name = name.trim();
        match name {
            "" | "undefined" | "x" => Text::from("unnamed"),
            _ if name.contains('@') || address::is_like_one(name) || self.has_part(name) => Text::from("other"),
            _ => Text::from(name),
        }
    }

    fn has_part(&self, name: &str) -> bool {
        parts(name).any(|part| self.parts.contains(&part))
    }
}

/// Every run of [`PART`] bytes, in lower case.
fn parts(text: &str) -> impl Iterator<Item = [u8; PART]> {
    let parts = text.as_bytes().windows(PART).filter_map(|part| <[u8; PART]>::try_from(part).ok());
    parts.map(|part| part.map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_without_meaning_is_unnamed_and_a_personal_one_is_other() {
        let names = Names::of("4AaBbCcDdEeFfGg");
        for (name, expected) in [
            ("rig-a", "rig-a"),
            ("garage.2", "garage.2"),
            ("X", "X"),
            ("", "unnamed"),
            (" ", "unnamed"),
            ("x", "unnamed"),
            ("undefined", "unnamed"),
            ("me@example.com", "other"),
            ("4AaBbCcDdEeFfGg", "other"),
            ("rig-BBCCDDEE", "other"),
            ("4aabbcc", "4aabbcc"),
            ("0x00112233445566778899102030405060708090a1", "other"),
            ("rig 8AnotherWalletOfNobody1MadeUp", "other"),
            ("a-name-of-forty-characters-and-a-digit-1", "a-name-of-forty-characters-and-a-digit-1"),
        ] {
            assert_eq!(names.shown(name).get(), Some(expected), "{name}");
        }
        assert_eq!(Names::of("").shown("a-long-name").get(), Some("a-long-name"));
    }

    proptest! {
        #[test]
        fn no_part_of_the_address_is_shown(address in "[0-9A-Za-z]{20,95}", before in ".{0,9}", start in 0..12_usize, after in ".{0,9}") {
            let name = format!("{before}{}{after}", &address[start..start + PART]);
            let shown = Names::of(&address).shown(&name);
            prop_assert_eq!(shown.get(), Some("other"));
        }
    }
}
