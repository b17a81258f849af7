//! What follows from an alert is left out in the same way by Alertmanager and by the dashboard's list of problems.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::grafana::dashboard::{Query, dashboard};
use crate::repository::read;

/// The problems leave out what Alertmanager does not send.
#[test]
fn what_follows_from_an_alert_is_said_once_in_alertmanager_and_dashboard() {
    let config: Value = serde_saphyr::from_str(&read("deploy/alertmanager/alertmanager.yml")).unwrap();
    let overview = dashboard("Overview");
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
