//! The colours of the dashboards can be read in both themes, and told apart by colour-blind people.

use std::collections::BTreeSet;

use super::dashboard::dashboards;

/// The fixed colours.
pub(super) const COLOURS: &[&str] = &["#068ADF", "#C98705", "#1F824A", "#9A598C", "#A84C05", "#E84360"];

/// The background of panels in Grafana's light and dark theme.
const BACKGROUNDS: &[&str] = &["#FFFFFF", "#181B1F"];

type Matrix = [[f64; 3]; 3];

/// How people without one kind of cones see linear RGB: Machado, Oliveira and Fernandes 2009, at full severity.
const VISIONS: &[(&str, Matrix)] = &[
    ("everybody", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "people without red cones",
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ),
    (
        "people without green cones",
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ),
    (
        "people without blue cones",
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ),
];

/// The first step from linear RGB to Oklab (Ottosson 2020): how much light each kind of cones receives. In Oklab, two pairs of colours with the
/// same distance look equally different.
const TO_CONES: Matrix = [
    [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
    [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
    [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
];
/// The second step: from the cube roots of these amounts to Oklab.
const TO_OKLAB: Matrix = [
    [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
    [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
    [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
];

/// The smallest distance in Oklab at which people see at once that two lines of a graph have different colours. The distance of black and
/// white is 1.
const APART: f64 = 0.06;

fn linear(colour: &str) -> [f64; 3] {
    [1, 3, 5].map(|place| {
        let part = f64::from(u8::from_str_radix(&colour[place..place + 2], 16).unwrap()) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

fn times(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(factor, part)| factor * part).sum())
}

fn distance(one: &str, other: &str, vision: &Matrix) -> f64 {
    let [one, other] = [one, other].map(|colour| {
        let seen = times(vision, linear(colour)).map(|part| part.clamp(0.0, 1.0));
        times(&TO_OKLAB, times(&TO_CONES, seen).map(f64::cbrt))
    });
    one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

/// The contrast of two colours by the definition of WCAG: 1 to 21.
fn contrast(one: &str, other: &str) -> f64 {
    let [one, other] = [one, other].map(|colour| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    });
    one.max(other) / one.min(other)
}

#[test]
fn colours_can_be_read_in_both_themes() {
    for colour in COLOURS {
        for background in BACKGROUNDS {
            let contrast = contrast(colour, background);
            assert!(contrast >= 3.0, "{colour} on {background} has a contrast of {contrast:.2}");
        }
    }
}

#[test]
fn colours_can_be_told_apart_by_colour_blind_people() {
    for (place, one) in COLOURS.iter().enumerate() {
        for other in &COLOURS[place + 1..] {
            for (who, vision) in VISIONS {
                let distance = distance(one, other, vision);
                assert!(distance >= APART, "{one} and {other} are {distance:.3} apart for {who}");
            }
        }
    }
}

/// The colour and line style of each series name are unique. Bars have no line style: theirs differ in opacity.
#[test]
fn no_two_currencies_endpoints_or_errors_look_the_same() {
    for dashboard in dashboards() {
        for panel in dashboard.panels() {
            let has_bars = panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars";
            // A stack has one name of each colour and opacity; bars of one currency to a panel are told apart by the title.
            let has_dashes = !has_bars || panel["repeat"].is_string();
            let overrides = panel["fieldConfig"]["overrides"].as_array().unwrap().iter();
            let styles = overrides.filter(|o| o["matcher"]["options"].as_str().is_some_and(|name| name.ends_with("( |$)/")));
            let mut seen = BTreeSet::new();
            for style in styles {
                let properties = style["properties"].as_array().unwrap().iter();
                let look: Vec<_> =
                    properties.filter(|p| has_dashes || p["id"] != "custom.lineStyle").map(ToString::to_string).collect();
                assert!(seen.insert(look), "{}: {} {style}", dashboard.file, panel["title"]);
            }
        }
    }
}
