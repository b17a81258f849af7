//! Checks of the committed dashboards without a Prometheus: the rules of Grafana's dashboard-linter, by their names there,
//! and our own.
//!
//! Its rules about `LogQL` do not apply. A real Prometheus checks `target-promql-rule`: see `live`.

use std::collections::{BTreeMap, BTreeSet};

use minergate_exporter::cli::reference::metrics as reference;
use minergate_exporter::health::SUBJECT_METRICS;
use serde_json::Value;

use super::colours::COLOURS;
use super::dashboard::{Dashboard, Query, Way, dashboards};
use super::promql::{Selector, selectors};
use crate::repository::{files, read};

/// Units that Grafana knows and a panel here may have.
const UNITS: &[&str] = &["none", "short", "Hs", "s", "bytes", "percentunit", "cpm", "m"];

/// Metrics that are not the exporter's: Prometheus' own.
const OF_PROMETHEUS: &[&str] = &["ALERTS", "ALERTS_FOR_STATE", "up", "scrape_duration_seconds", "scrape_samples_scraped"];

/// Panels that show a counter as it is, since they are about all that was ever counted.
const WHOLE_COUNTERS: &[&str] = &["Totals by currency", "Payment models", "Affiliate profit"];

/// The window width in pixels from which on no heading of a table is cut off.
const NARROW: u64 = 1264;

/// A rule over all dashboards; it returns what is wrong.
type Rule = fn(&Dashboard) -> Vec<String>;

const RULES: &[(&str, Rule)] = &[
    ("template-datasource-rule", |d| {
        let sources: Vec<_> = d.variables().filter(|v| v["type"] == "datasource").collect();
        let right = sources.len() == 1
            && sources[0]["name"] == "datasource"
            && sources[0]["label"] == "Data source"
            && sources[0]["query"] == "prometheus";
        fault(right, "needs one variable `datasource`")
    }),
    ("template-job-rule", |d| scrape_variable(d, "job", "Job")),
    ("template-instance-rule", |d| scrape_variable(d, "instance", "Instance")),
    ("template-label-promql-rule", |d| {
        let label_values = |text: &str| {
            let inner = text.strip_prefix("label_values(").and_then(|text| text.strip_suffix(')'));
            inner.and_then(|inner| inner.rsplit_once(", ")).is_some_and(|(selector, _)| selectors(selector).len() == 1)
        };
        let queries = d.variable_queries().into_iter();
        queries.filter(|query| !label_values(&query.text)).map(|query| query.place()).collect()
    }),
    ("template-on-time-change-reload-rule", |d| {
        let queries = d.variables().filter(|v| v["type"] == "query");
        queries.filter(|v| v["refresh"] != 2).map(|v| v["name"].to_string()).collect()
    }),
    ("panel-datasource-rule", |d| panels(d, |panel| panel["datasource"]["uid"] == "${datasource}")),
    ("panel-title-description-rule", |d| {
        panels(d, |panel| {
            ["title", "description"].iter().all(|key| panel[key].as_str().is_some_and(|text| !text.is_empty()))
        })
    }),
    ("panel-units-rule", |d| {
        panels(d, |panel| panel["fieldConfig"]["defaults"]["unit"].as_str().is_some_and(|u| UNITS.contains(&u)))
    }),
    ("panel-no-targets-rule", |d| panels(d, |panel| panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()))),
    ("target-rate-interval-rule", |d| {
        targets(d, |_, s| !matches!(s.function, Some("rate" | "irate")) || s.range == Some("$__rate_interval"))
    }),
    ("target-job-rule", |d| targets(d, |_, s| has_matcher(s, "job"))),
    ("target-instance-rule", |d| targets(d, |_, s| has_matcher(s, "instance"))),
    ("target-counter-agg-rule", |d| {
        targets(d, |query, s| {
            let is_counter = s.metric.ends_with("_total");
            !is_counter
                || matches!(s.function, Some("rate" | "irate" | "increase"))
                || WHOLE_COUNTERS.contains(&&*query.place)
                // Allowed beside its increase: a new series counts from 0.
                || query.text.contains(&format!("increase({}{{{}}}[", s.metric, s.matchers))
        })
    }),
    ("uneditable-dashboard", |d| fault(d.json["editable"] == false, "is editable")),
    // Our own.
    ("every override of a column has a known unit", |d| {
        panels(d, |panel| {
            let properties = panel["fieldConfig"]["overrides"].as_array().unwrap().iter().flat_map(properties);
            properties.filter(|p| p["id"] == "unit").all(|p| UNITS.contains(&p["value"].as_str().unwrap()))
        })
    }),
    ("fixed colours can be told apart", |d| {
        let mut colours = BTreeSet::new();
        collect_colours(&d.json, &mut colours);
        colours.into_iter().filter(|colour| ![COLOURS, &["text", "transparent"]].concat().contains(&&**colour)).collect()
    }),
    ("what is not known is not judged", |d| {
        // Grafana takes the lowest step's colour for a missing value, too.
        panels(d, |panel| {
            let own = [&panel["fieldConfig"]["defaults"]["thresholds"]].into_iter();
            let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap().iter().flat_map(properties);
            let all = own.chain(overrides.filter(|p| p["id"] == "thresholds").map(|p| &p["value"]));
            all.into_iter().filter(|thresholds| !thresholds.is_null()).all(|thresholds| {
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
    ("a table scrolls and has no pages", |d| {
        panels(d, |panel| panel["type"] != "table" || panel["options"]["footer"]["enablePagination"] != true)
    }),
    ("a table's headings are not cut off", |d| {
        // Columns without a width have the same part of the room that the others leave, or more if one wants it.
        let needs = |heading: &str| 8 * u64::try_from(heading.chars().count()).unwrap() + 16;
        tables(d, |panel, headings| {
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
            let organize = panel["transformations"].as_array().into_iter().flatten().find(|step| step["id"] == "organize");
            let labels = organize.map(|organize| {
                let fields = organize["options"]["renameByName"].as_object().unwrap().keys();
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
    ("what is not there is not 0", |d| {
        let queries = d.queries().into_iter();
        queries.filter(|query| query.text.contains("vector(0)")).map(|query| query.place()).collect()
    }),
    ("links and annotations have no place, which hides them in some Grafana", |d| {
        let lists = [&d.json["links"], &d.json["annotations"]["list"]];
        let mut shown = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        fault(shown.all(|shown| shown.get("placement").is_none()), "has a placement")
    }),
    ("what a Grafana must have is said", |d| {
        let required: Vec<_> = d.json["__requires"].as_array().unwrap().iter().map(|plugin| plugin["id"].clone()).collect();
        let known = d.panels().all(|panel| required.contains(&panel["type"]));
        fault(known && required.contains(&"grafana".into()) && required.contains(&"prometheus".into()), "lacks a plugin")
    }),
    ("panels lie side by side", |d| {
        let is_free = |panels: &[Value]| {
            let mut cells = BTreeSet::new();
            panels.iter().all(|panel| {
                let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
                x + w <= 24 && (x..x + w).all(|x| (y..y + h).all(|y| cells.insert((x, y))))
            })
        };
        let open = d.json["panels"].as_array().unwrap();
        let closed = open.iter().filter_map(|row| row["panels"].as_array());
        let right = is_free(open) && closed.into_iter().all(|panels| is_free(panels));
        fault(right, "has panels on top of each other, or too wide ones")
    }),
    ("ids and letters are unique", |d| {
        let mut ids = BTreeSet::new();
        let open = d.json["panels"].as_array().unwrap().iter();
        let all = d.panels().chain(open.filter(|panel| panel["type"] == "row"));
        let fresh = all.into_iter().all(|panel| ids.insert(panel["id"].as_u64().unwrap()));
        let mut places = BTreeSet::new();
        let letters = d.queries().iter().all(|query| places.insert(query.place()));
        fault(fresh && letters, "has an id, a title or a query's letter twice")
    }),
    ("counters' steps reach over two polls and scrapes", |d| {
        let queries = d.panel_queries().into_iter().filter(|query| query.text.contains("$__rate_interval"));
        let long_enough = |query: &Query| matches!(query.way, Way::Range { min_step: 60.., .. });
        queries.filter(|query| !long_enough(query)).map(|query| query.place()).collect()
    }),
    ("dashboards link to each other", |d| {
        let link = &d.json["links"][0];
        let right = link["type"] == "dashboards" && link["includeVars"] == true && link["keepTime"] == true;
        fault(right && link["tags"] == d.json["tags"], "has no links to the others")
    }),
    ("reloads are marked", |d| {
        fault(d.annotation_queries().iter().any(|query| query.text.contains("config_last_reload")), "does not mark reloads")
    }),
];

fn fault(right: bool, fault: &str) -> Vec<String> {
    if right { Vec::new() } else { vec![fault.to_owned()] }
}

/// The panels that are not right.
fn panels(dashboard: &Dashboard, right: impl FnMut(&Value) -> bool) -> Vec<String> {
    let mut right = right;
    dashboard.panels().filter(|panel| !right(panel)).map(|panel| panel["title"].to_string()).collect()
}

/// The tables that fail the test, with their headings in order.
fn tables(dashboard: &Dashboard, right: impl Fn(&Value, &[String]) -> bool) -> Vec<String> {
    panels(dashboard, |panel| {
        let organize = panel["transformations"].as_array().into_iter().flatten().find(|step| step["id"] == "organize");
        let headings = organize.map(|organize| {
            let names = organize["options"]["renameByName"].as_object().unwrap();
            let places = organize["options"]["indexByName"].as_object().unwrap();
            let mut fields: Vec<_> = places.iter().map(|(field, place)| (place.as_u64(), field)).collect();
            fields.sort();
            fields.into_iter().map(|(_, field)| names[field].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        });
        panel["type"] != "table" || right(panel, &headings.unwrap())
    })
}

/// A property of a column from the table's overrides. The last override counts.
fn column<'a>(panel: &'a Value, heading: &str, property: &str) -> Option<&'a Value> {
    let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap().iter();
    let own = overrides.filter(|o| o["matcher"]["id"] == "byName" && o["matcher"]["options"] == heading);
    own.flat_map(properties).filter(|p| p["id"] == property).map(|p| &p["value"]).next_back()
}

/// The selectors that are not right, of panels and annotations.
fn targets(dashboard: &Dashboard, right: impl Fn(&Query, &Selector<'_>) -> bool) -> Vec<String> {
    let queries = [dashboard.panel_queries(), dashboard.annotation_queries()].concat();
    let wrong = queries.iter().flat_map(|query| {
        let wrong = selectors(&query.text).into_iter().filter(|selector| !right(query, selector));
        wrong.map(|selector| format!("{}: {}", query.place(), selector.metric)).collect::<Vec<_>>()
    });
    wrong.collect()
}

fn has_matcher(selector: &Selector<'_>, label: &str) -> bool {
    // Recorded series have no labels of single exporters, and neither do some alerts.
    selector.metric.contains(':')
        || selector.metric.starts_with("ALERTS")
        || selector.matchers.split(", ").any(|m| m == format!("{label}=~\"${label}\""))
}

fn scrape_variable(dashboard: &Dashboard, name: &str, label: &str) -> Vec<String> {
    let right = dashboard.variable(name).is_some_and(|v| {
        v["label"] == label
            && v["type"] == "query"
            && v["datasource"]["uid"] == "${datasource}"
            && v["multi"] == true
            && v["includeAll"] == true
            && v["allValue"] == ".+"
    });
    fault(right, &format!("needs a variable `{name}`"))
}

fn properties(r#override: &Value) -> &[Value] {
    r#override["properties"].as_array().unwrap()
}

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

#[test]
fn dashboards_follow_the_rules() {
    let mut faults = Vec::new();
    for (name, rule) in RULES {
        for dashboard in dashboards() {
            faults.extend(rule(&dashboard).into_iter().map(|fault| format!("{name}: {}: {fault}", dashboard.file)));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Every metric: name to type.
fn reference() -> BTreeMap<String, &'static str> {
    reference::entries().map(|entry| (entry.name, entry.kind)).collect()
}

/// The names that the rules record.
fn recorded() -> BTreeSet<String> {
    let texts = files("deploy/prometheus/rules", ".yml").into_iter().map(read);
    texts
        .flat_map(|text| {
            text.lines().filter_map(|line| Some(line.split_once("- record: ")?.1.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

/// The metrics that a query names, be it by a pattern.
fn metrics(query: &str) -> Vec<String> {
    let names = selectors(query).into_iter().flat_map(|selector| {
        let pattern = selector.matchers.split(", ").find_map(|m| m.strip_prefix("__name__=~\"")?.strip_suffix('"'));
        pattern.unwrap_or(selector.metric).split('|').map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn every_metric_is_in_the_reference() {
    let (reference, recorded) = (reference(), recorded());
    let is_known = |name: &str| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        reference.contains_key(name)
            || of_histogram.is_some_and(|base| reference.get(base) == Some(&"histogram"))
            || OF_PROMETHEUS.contains(&name)
            || recorded.contains(name)
    };
    let dashboards = dashboards();
    for (dashboard, query) in dashboards.iter().flat_map(|d| d.queries().into_iter().map(move |query| (d, query))) {
        let text = dashboard.fill(&query.text, &[("account", "a")]);
        let text = text.strip_prefix("label_values(").unwrap_or(&text);
        let metrics = metrics(text.rsplit_once("}, ").map_or(text, |_| text));
        for metric in metrics {
            let label = query.way == Way::LabelValues && !metric.starts_with("minergate_");
            assert!(label || is_known(&metric), "{}: there is no metric {metric}", query.place());
        }
    }
}

#[test]
fn the_account_s_dashboard_has_a_place_for_every_family_of_an_account() {
    let account = dashboards().into_iter().find(|d| d.title() == "MinerGate / Account").unwrap();
    let shown: BTreeSet<String> = account.panel_queries().iter().flat_map(|query| metrics(&query.text)).collect();
    let promised = include_str!("../promised_metrics.txt").lines().filter_map(|line| {
        let (name, labels) = (line.split(' ').next()?, line.split(' ').nth(2)?);
        labels.split(',').any(|label| label == "account").then_some(name)
    });
    let own = SUBJECT_METRICS.iter().map(|metric| metric.family.sample_name());
    for family in promised.map(str::to_owned).chain(own) {
        assert!(shown.contains(&family), "{family} is nowhere");
    }
}

#[test]
fn every_metric_has_a_place_somewhere() {
    let shown: BTreeSet<String> =
        dashboards().iter().flat_map(Dashboard::panel_queries).flat_map(|query| metrics(&query.text)).collect();
    for (family, kind) in reference() {
        let name = if kind == "histogram" { format!("{family}_bucket") } else { family };
        // These are backfilled and never scraped. Most installations do not have them, so a panel would be empty.
        let is_past = name.starts_with("minergate_history_");
        assert!(name.starts_with("process_") || is_past || shown.contains(&name), "{name} is nowhere");
    }
}

#[test]
fn uids_and_titles_are_unique_and_files_named_by_them() {
    let mut titles = BTreeSet::new();
    for dashboard in dashboards() {
        let uid = dashboard.json["uid"].as_str().unwrap();
        assert_eq!(dashboard.file, format!("{uid}.json"));
        assert!(uid.len() <= 40 && titles.insert(dashboard.title().to_owned()), "{uid}");
        assert!(dashboard.json["schemaVersion"].as_u64().unwrap() >= 42, "{uid}");
        assert!(dashboard.json.get("id").is_none_or(Value::is_null), "{uid}: Grafana gives the id");
    }
}

/// The problems leave out what Alertmanager does not send.
#[test]
fn what_follows_from_an_alert_is_said_once_in_alertmanager_and_dashboard() {
    let config: Value = serde_saphyr::from_str(&read("deploy/alertmanager/alertmanager.yml")).unwrap();
    let overview = dashboards().into_iter().find(|d| d.title() == "MinerGate / Overview").unwrap();
    let problems: Vec<Query> =
        overview.panel_queries().into_iter().filter(|query| query.place == "Needs attention").collect();
    assert!(!problems.is_empty());
    let names = |matchers: &Value| {
        let matcher = matchers[0].as_str().unwrap().trim_start_matches("alertname").trim_start_matches(['=', '~']);
        matcher.trim_matches('"').replace("Minergate", "")
    };
    let list = |labels: &Value| {
        let labels = labels.as_array().into_iter().flatten().map(|label| label.as_str().unwrap());
        labels.collect::<Vec<_>>().join(", ")
    };
    let rules = config["inhibit_rules"].as_array().unwrap().iter();
    // The first is about one alert with two severities, which is one line.
    let expected: BTreeSet<String> = rules
        .skip(1)
        .map(|rule| {
            let [cause, consequences] = ["source_matchers", "target_matchers"].map(|key| names(&rule[key]));
            let on = list(&rule["equal"]);
            format!(
                "ALERTS{{alertname=~\"Minergate({consequences})\"}} and on ({on}) \
                 ALERTS{{alertname=~\"Minergate({cause})\", alertstate=\"firing\"}}"
            )
        })
        .collect();
    assert!(expected.len() > 5, "{expected:?}");
    for query in problems {
        let (_, left_out) = query.text.rsplit_once(") unless on (").unwrap();
        let left_out = left_out.split_once(") (").unwrap().1.trim_end_matches(')');
        let left_out = left_out.split(" or ").map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(left_out, expected, "{}", query.place());
    }
}
