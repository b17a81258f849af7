//! Colours: they can be told apart and read, and none stands alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Rule, overrides, panels, properties};
use crate::grafana::dashboard::dashboards;

/// The fixed colours, the colour of text, and none.
const COLOURS: &[&str] = &["#1F81E0", "#DD7A08", "#0E9D64", "#A04778", "#A34F00", "#D8364B", "text", "transparent"];

/// The background of panels in Grafana's light and dark theme.
const BACKGROUNDS: &[&str] = &["#FFFFFF", "#181B1F"];

pub(super) const RULES: &[(&str, Rule)] = &[
    ("fixed colours can be told apart", |d| {
        let mut colours = BTreeSet::new();
        collect_colours(&d.json, &mut colours);
        colours.into_iter().filter(|colour| !COLOURS.contains(&&**colour)).collect()
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

/// The contrast of two colours by the definition of WCAG: 1 to 21.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |place: usize| {
            let part = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
            if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

#[test]
fn colours_can_be_read_in_both_themes() {
    for colour in COLOURS.iter().filter(|colour| colour.starts_with('#')) {
        for background in BACKGROUNDS {
            let contrast = contrast(colour, background);
            assert!(contrast >= 3.0, "{colour} on {background} has a contrast of {contrast:.2}");
        }
    }
}

/// The colour and line style of each series name are unique.
#[test]
fn no_two_currencies_or_endpoints_look_the_same() {
    for dashboard in dashboards() {
        for panel in dashboard.panels() {
            let is_style = |o: &&Value| o["matcher"]["options"].as_str().is_some_and(|name| name.ends_with("( |$)/"));
            let mut seen = BTreeSet::new();
            for style in overrides(panel).iter().filter(is_style) {
                let look = format!("{}", style["properties"]);
                assert!(seen.insert(look), "{}: {} {style}", dashboard.file, panel["title"]);
            }
        }
    }
}
