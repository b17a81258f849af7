//! Arbitrary answers cause no panic and no wrong digit.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Every leaf of a JSON value, for replacement.
fn places(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Object(fields) => fields.values_mut().flat_map(places).collect(),
        Value::Array(elements) => elements.iter_mut().flat_map(places).collect(),
        leaf => vec![leaf],
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "-?[0-9]{1,40}(\\.[0-9]{1,3})?( [KMGTP]?H(/s)?)?".prop_map(Value::from),
        ".{0,40}:-?[0-9]{1,40}:.{0,9}".prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z0-9_]{1,12}", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Makes a body from an amount.
type OfAmount = fn(&str) -> String;

/// The amounts of each software: endpoint, index of the path, and its body.
const AMOUNTS: &[(&str, &str, usize, OfAmount)] = &[
    ("nodejs-pool", "balance", 0, |amount| format!(r#"{{"hash":1,"amtDue":{amount}}}"#)),
    ("nodejs-pool", "withdrawals", 1, |amount| format!(r#"[{{"ts":1,"amount":{amount}}}]"#)),
    ("cryptonote-nodejs-pool", "balance", 0, |amount| format!(r#"{{"stats":{{"balance":{amount}}}}}"#)),
    ("cryptonote-nodejs-pool", "withdrawals", 0, |amount| {
        format!(r#"{{"payments":["tx:{}:1:16","1"]}}"#, amount.trim_matches('"'))
    }),
    ("open-ethereum-pool", "balance", 0, |amount| format!(r#"{{"stats":{{"balance":{amount}}}}}"#)),
    ("open-ethereum-pool", "withdrawals", 0, |amount| format!(r#"{{"payments":[{{"amount":{amount},"timestamp":1}}]}}"#)),
];

proptest! {
    #[test]
    fn nearly_right_answers_become_valid_ones_or_errors(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..5),
    ) {
        let endpoints: Vec<_> = SOFTWARES.iter().flat_map(|one| one.endpoints.iter().map(move |name| (one, *name))).collect();
        let (software, endpoint) = endpoints[which.index(endpoints.len())];
        let mut bodies: Vec<Value> =
            samples(software, endpoint).iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        for (place, value) in changes {
            let mut places: Vec<_> = bodies.iter_mut().flat_map(places).collect();
            if !places.is_empty() {
                let place = place.index(places.len());
                *places[place] = value;
            }
        }
        let bodies: Vec<String> = bodies.iter().map(Value::to_string).collect();
        if let Ok(json) = translate(software, endpoint, &bodies) {
            shown(endpoint, &json);
        }
    }

    #[test]
    fn no_answer_makes_it_panic(body in prop_oneof![any_json().prop_map(|json| json.to_string()), ".{0,200}"]) {
        for software in SOFTWARES {
            for endpoint in software.endpoints {
                let bodies = vec![body.as_str(); software.paths(endpoint).count()];
                if let Ok(json) = translate(software, endpoint, &bodies) {
                    shown(endpoint, &json);
                }
            }
        }
    }

    #[test]
    fn amounts_keep_every_digit(units in any::<u64>(), is_text in any::<bool>()) {
        for (name, endpoint, place, body) in AMOUNTS {
            let software = software(name);
            let context = context(software);
            let body = body(&if is_text { format!("\"{units}\"") } else { units.to_string() });
            let mut bodies = samples(software, endpoint);
            bodies[*place] = &body;
            let json = translate(software, endpoint, &bodies).unwrap();
            let start = if *endpoint == "balance" { format!("\"{}\":", context.currency) } else { "\"amount\":".to_owned() };
            let (_, rest) = json.split_once(&start).unwrap();
            let amount = rest.split([',', '}']).next().unwrap();
            let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
            let digits = format!("{whole}{fraction:0<width$}", width = usize::from(context.decimals));
            prop_assert_eq!(digits.parse::<u128>().unwrap(), u128::from(units), "{} {}: {}", name, endpoint, json);
        }
    }

    #[test]
    fn the_unconfirmed_balance_is_in_the_smallest_unit(units in any::<u64>()) {
        let software = software("open-ethereum-pool");
        let body = format!(r#"{{"stats":{{"immature":{units}}}}}"#);
        let json = translate(software, "mining_stats", &[&body]).unwrap();
        let expected = u128::from(units) * 1_000_000_000;
        prop_assert_eq!(json, format!(r#"{{"etc":{{"unconfirmedBalance":{expected}}}}}"#));
    }
}
