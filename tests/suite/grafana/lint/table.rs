//! Tables: their columns, cells, order and queries.

use std::collections::BTreeSet;

use serde_json::Value;

use super::linter::UNITS;
use super::{Rule, overrides, panels, properties};
use crate::grafana::dashboard::Dashboard;

/// The window width in pixels from which on no heading and no time of a table is cut off.
const NARROW: u64 = 1264;

pub(super) const RULES: &[(&str, Rule)] = &[
    ("every override of a column has a known unit", |d| {
        panels(d, |panel| {
            let units = overrides(panel).iter().flat_map(properties).filter(|p| p["id"] == "unit");
            units.map(|p| p["value"].as_str().unwrap()).all(|unit| UNITS.contains(&unit))
        })
    }),
    ("a table scrolls and has no pages", |d| {
        panels(d, |panel| panel["type"] != "table" || panel["options"]["footer"]["enablePagination"] != true)
    }),
    ("a table's headings and times are not cut off", |d| {
        // Columns without a width have the same part of the room that the others leave, or more if one wants it.
        tables(d, |panel, headings| {
            let needs = |heading: &String| {
                // As 12.3 hours: digits are narrower than a heading's letters.
                let least = if column(panel, heading, "unit").is_some_and(|unit| unit == "s") { 88 } else { 0 };
                least.max(8 * u64::try_from(heading.chars().count()).unwrap() + 16)
            };
            let number = |heading: &String, property: &str| column(panel, heading, property).and_then(Value::as_u64);
            let room = NARROW * panel["gridPos"]["w"].as_u64().unwrap() / 24 - 24;
            let own: Vec<Option<u64>> = headings.iter().map(|heading| number(heading, "custom.width")).collect();
            let sharing = u64::try_from(own.iter().filter(|width| width.is_none()).count()).unwrap();
            let part = room.saturating_sub(own.iter().flatten().sum()) / sharing.max(1);
            let widths = headings.iter().zip(own).map(|(heading, own)| {
                own.or_else(|| number(heading, "custom.minWidth").map(|least| least.max(part))).unwrap_or_default()
            });
            let widths: Vec<u64> = widths.collect();
            let shown = widths.iter().zip(headings).all(|(has, heading)| *has >= needs(heading));
            shown && sharing > 0 && widths.iter().sum::<u64>() <= room
        })
    }),
    ("a table's queries have the labels of its columns, and no others", |d| {
        panels(d, |panel| {
            let labels = organize(panel).map(|organize| {
                let fields = organize["renameByName"].as_object().unwrap().keys();
                let labels = fields.filter(|field| !field.starts_with("Value") && !field.starts_with("Trend"));
                labels.map(String::as_str).collect::<BTreeSet<_>>()
            });
            labels.is_none_or(|labels| {
                panel["targets"].as_array().unwrap().iter().all(|target| {
                    let list =
                        target["expr"].as_str().unwrap().strip_prefix("max by (").and_then(|rest| rest.split_once(") ("));
                    list.is_some_and(|(list, _)| list.split(", ").collect::<BTreeSet<_>>() == labels)
                })
            })
        })
    }),
    ("a cell without a value has a word of its own", |d| {
        tables(d, |panel, headings| headings.iter().all(|heading| column(panel, heading, "noValue").is_some()))
    }),
    ("a table of several lines is sorted, or each line is a currency's or an instance's", |d| {
        tables(d, |panel, headings| {
            let by = panel["options"]["sortBy"][0]["displayName"].as_str();
            by.map_or(["Currency", "Instance"].contains(&&*headings[0]), |by| headings.iter().any(|heading| heading == by))
        })
    }),
];

/// The options of the transformation that names and orders a table's columns.
fn organize(panel: &Value) -> Option<&Value> {
    let mut steps = panel["transformations"].as_array().into_iter().flatten();
    steps.find(|step| step["id"] == "organize").map(|step| &step["options"])
}

/// The tables that fail the test, with their headings in order.
fn tables(dashboard: &Dashboard, right: impl Fn(&Value, &[String]) -> bool) -> Vec<String> {
    panels(dashboard, |panel| {
        let headings = organize(panel).map(|organize| {
            let names = organize["renameByName"].as_object().unwrap();
            let places = organize["indexByName"].as_object().unwrap();
            let mut fields: Vec<_> = places.iter().map(|(field, place)| (place.as_u64(), field)).collect();
            fields.sort();
            fields.into_iter().map(|(_, field)| names[field].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        });
        panel["type"] != "table" || right(panel, &headings.unwrap())
    })
}

/// A property of a column from the table's overrides. The last override counts.
fn column<'a>(panel: &'a Value, heading: &str, property: &str) -> Option<&'a Value> {
    let own = overrides(panel).iter().filter(|o| o["matcher"]["id"] == "byName" && o["matcher"]["options"] == heading);
    own.flat_map(properties).filter(|p| p["id"] == property).map(|p| &p["value"]).next_back()
}
