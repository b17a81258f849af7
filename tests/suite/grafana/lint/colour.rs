//! Colours: only the measured ones, none for what is unknown, and none without a text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rule, overrides, panels, properties};
use crate::grafana::palette::COLOURS;

pub(super) const RULES: &[(&str, Rule)] = &[
    ("fixed colours can be told apart", |d| {
        let mut colours = BTreeSet::new();
        collect_colours(&d.json, &mut colours);
        colours.into_iter().filter(|colour| ![COLOURS, &["text", "transparent"]].concat().contains(&&**colour)).collect()
    }),
    ("what is not known is not judged", |d| {
        // Grafana takes the lowest step's colour for a missing value, too.
        panels(d, |panel| {
            let own = [&panel["fieldConfig"]["defaults"]["thresholds"]];
            let of_columns = overrides(panel).iter().flat_map(properties).filter(|p| p["id"] == "thresholds");
            let all = own.into_iter().chain(of_columns.map(|p| &p["value"]));
            let mut judging = all.filter(|thresholds| !thresholds.is_null());
            judging.all(|thresholds| {
                let lowest = &thresholds["steps"][0];
                lowest["color"] == "text" && lowest["value"].is_null()
            })
        })
    }),
    ("a threshold's colour does not stand alone", |d| {
        // Numbers beside it say the same, and 0 has a word.
        panels(d, |panel| {
            let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array();
            let is_shown_as_text = panel["type"] == "stat" && panel["options"]["textMode"] != "none"
                || panel["type"] == "bargauge" && panel["options"]["valueMode"] == "text";
            steps.is_none_or(|steps| steps.len() < 2) || is_shown_as_text
        })
    }),
];

fn collect_colours(value: &Value, colours: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_colours(value, colours)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if let ("fixedColor" | "color" | "iconColor", Value::String(colour)) = (key.as_str(), value) {
                    colours.insert(colour.clone());
                }
                collect_colours(value, colours);
            }
        }
        _ => {}
    }
}
