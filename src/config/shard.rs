//! `--shard I/N`: which part of the configuration an instance polls, if several instances share it.
//!
//! Uses rendezvous hashing: every instance gives each account a weight for each instance, and the instance with the highest weight polls it. So
//! each account has exactly one instance without communication between instances. A further instance takes some accounts from all others, and
//! no other accounts move.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// The instance's number, counted from 1, and the number of instances.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq)]
#[schemars(with = "String", inline, extend("pattern" = "^[0-9]{1,4}/[0-9]{1,4}$", "examples" = ["1/3"]))]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Whether the object of this kind and name belongs to this instance.
    pub fn owns(self, kind: &str, name: &str) -> bool {
        let owner = (1..=self.count).max_by_key(|index| weight(kind, name, *index));
        owner == Some(self.index)
    }
}

/// FNV-1a with a final mix. It must never change: all instances of all versions must get the same parts.
fn weight(kind: &str, name: &str, index: u32) -> u64 {
    let bytes = kind.bytes().chain([0]).chain(name.bytes()).chain([0]).chain(index.to_be_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').map(|(index, count)| (index.trim().parse(), count.trim().parse()));
        match numbers {
            Some((Ok(index), Ok(count))) if (1..=count).contains(&index) && count <= 1000 => Ok(Shard { index, count }),
            _ => Err("not a part; give one such as \"1/3\", the first of three".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str, count: u32) -> u32 {
        let owners: Vec<u32> = (1..=count).filter(|index| Shard { index: *index, count }.owns("account", name)).collect();
        assert_eq!(owners.len(), 1, "{name} is of {owners:?}");
        owners[0]
    }

    #[test]
    fn each_account_has_one_instance_and_parts_are_about_even() {
        for count in [1, 2, 3, 7] {
            let mut sizes = vec![0; count as usize + 1];
            (0..1000).for_each(|i| sizes[owner(&format!("farm-{i}"), count) as usize] += 1);
            let even = 1000 / count;
            assert!(sizes[1..].iter().all(|size| (even * 7 / 10..=even * 13 / 10).contains(size)), "{sizes:?}");
        }
    }

    #[test]
    fn a_further_instance_takes_its_share_and_no_other_account_moves() {
        let mut moved = 0;
        for i in 0..1000 {
            let (before, after) = (owner(&format!("farm-{i}"), 4), owner(&format!("farm-{i}"), 5));
            assert!(before == after || after == 5);
            moved += u32::from(before != after);
        }
        assert!((140..=260).contains(&moved), "{moved}");
    }

    #[test]
    fn the_parts_are_the_same_in_every_version() {
        let owners: Vec<u32> = (1..=8).map(|i| owner(&format!("farm-{i}"), 3)).collect();
        assert_eq!(owners, [1, 3, 3, 3, 3, 1, 1, 1]);
    }

    #[test]
    fn a_part_is_written_as_its_number_and_the_number_of_instances() {
        assert_eq!("2/3".parse::<Shard>().unwrap().to_string(), "2/3");
        for wrong in ["", "1", "0/3", "4/3", "a/b", "1/0", "1/9999", "-1/3"] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("\"1/3\""), "{wrong}");
        }
    }
}
