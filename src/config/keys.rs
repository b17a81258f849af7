//! The configuration's keys, read from its schema: which parts of a path messages may show, and which values are lists.

use serde_json::Value;

use super::account::name_fault_near_wallets;
use super::schema::SCHEMA;
use minergate::currency;
use minergate::spelling;

/// A path as people write it, such as `accounts[1].token` (counted from 1), up to the first part that messages must not show.
pub(super) fn name(path: &[String], pools: &[String]) -> String {
    path[..shown(path, pools)].iter().enumerate().fold(String::new(), |key, (depth, part)| match part.parse::<usize>() {
        Ok(i) => format!("{key}[{}]", i + 1),
        Err(_) if depth == 0 => part.clone(),
        Err(_) => format!("{key}.{part}"),
    })
}

/// Number of parts of a path that messages may show: known keys, keys that resemble one, indexes in lists, valid names of accounts, and
/// these pools. Another name could be a misplaced address.
pub(super) fn shown(path: &[String], pools: &[String]) -> usize {
    let mut node = Some(&*SCHEMA);
    let is_shown = |part: &&String| {
        let (next, is_shown) = node.map_or((None, false), |table| step(table, part, pools));
        node = next;
        is_shown
    };
    path.iter().take_while(is_shown).count()
}

/// Whether a key's value is a list.
pub(super) fn is_list(path: &[&str]) -> bool {
    let node = path.iter().try_fold(&*SCHEMA, |table, part| step(table, part, &[]).0);
    node.is_some_and(|node| has_type(node, "array"))
}

/// Whether there is a key with this path.
pub(super) fn is_known(path: &[&str]) -> bool {
    let Some((last, table)) = path.split_last() else { return false };
    let table = table.iter().try_fold(&*SCHEMA, |table, part| step(table, part, &[]).0);
    table.and_then(|table| table.get("properties")?.get(last)).is_some()
}

/// The schema of a part of a path, and whether the part may be shown.
fn step(node: &'static Value, part: &str, pools: &[String]) -> (Option<&'static Value>, bool) {
    if let Some(properties) = node.get("properties").and_then(Value::as_object) {
        let meant = || properties.get(spelling::nearest_key(part, properties.keys().map(String::as_str))?);
        let next = properties.get(part).or_else(meant);
        return (next.map(resolved), next.is_some());
    }
    if let Some(items) = node.get("items").map(resolved) {
        // In the environment, accounts and pools are named; in a file, they have an index. A name can be a misplaced address.
        let is_name = || has_type(items, "object") && name_fault_near_wallets(part).is_none();
        return (Some(items), part.parse::<usize>().is_ok() || is_name());
    }
    (node.get("additionalProperties"), currency::is_documented(part) || pools.iter().any(|pool| pool == part))
}

/// The type that a reference leads to.
pub(super) fn resolved(node: &'static Value) -> &'static Value {
    let reference = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|place| SCHEMA.pointer(place)).unwrap_or(node)
}

pub(super) fn has_type(node: &Value, name: &str) -> bool {
    match node.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn keys_are_shown_as_far_as_they_are_known() {
        for (given, shown) in [
            ("api/timeout", "api.timeout"),
            ("api/tiemout", "api.tiemout"),
            ("api/hunter", "api"),
            ("hunter/timeout", ""),
            ("poll/wokers", "poll.wokers"),
            ("accounts/1/token", "accounts[2].token"),
            ("accounts/1/endpoints/0", "accounts[2].endpoints[1]"),
            ("accounts/1/hunter", "accounts[2]"),
            ("accounts/4planted00112233445566778899/token", "accounts"),
            ("accounts/me@example.com/token", "accounts"),
            ("pools/4planted00112233445566778899/url", "pools"),
            ("account/farm/tokn", "account.farm.tokn"),
            ("currencies/0", "currencies[1]"),
            ("currencies/hunter", "currencies"),
            ("decimals/xmr", "decimals.xmr"),
            ("decimals/hunter", "decimals"),
            ("pools/0/url", "pools[1].url"),
            ("accounts/0/wallets/supportxmr", "accounts[1].wallets.supportxmr"),
            ("accounts/0/wallets/hunter", "accounts[1].wallets"),
            ("accounts/0/wallet_files/hunter", "accounts[1].wallet_files"),
        ] {
            assert_eq!(name(&path(given), &["supportxmr".to_owned()]), shown, "{given}");
        }
    }

    #[test]
    fn lists_are_told_from_texts() {
        let is_list = |given: &str| is_list(&given.split('/').collect::<Vec<_>>());
        for list in ["currencies", "optional_metrics", "web/listen_address", "accounts/x/endpoints"] {
            assert!(is_list(list), "{list}");
        }
        for other in ["api", "api/base_url", "state_directory", "accounts/x/token", "nothing/here"] {
            assert!(!is_list(other), "{other}");
        }
    }
}
