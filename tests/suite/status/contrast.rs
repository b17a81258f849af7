//! The contrast of the style sheet's colours, in both themes.

use crate::repository::read;

/// The colours of a theme, by name.
fn colours(theme: &str) -> Vec<(&str, [f64; 3])> {
    let variables = theme.split(';').filter_map(|declaration| declaration.rsplit("--").next()?.split_once(": #"));
    let channel = |hex: &str, i: usize| f64::from(u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()) / 255.0;
    variables.map(|(name, hex)| (name, [0, 1, 2].map(|i| channel(hex, i)))).collect()
}

/// As WCAG 2 defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let [r, g, b] = colour.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[test]
fn texts_have_enough_contrast_in_both_themes() {
    let sheet = read("src/server/status/style.css");
    let themes: Vec<&str> = sheet.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(themes.len(), 2, "light and dark");
    for theme in themes {
        let colours = colours(theme);
        let paper = luminance(colours.iter().find(|(name, _)| *name == "paper").unwrap().1);
        let texts: Vec<_> = colours.iter().filter(|(name, _)| !["paper", "line"].contains(name)).collect();
        assert_eq!(texts.len(), 7, "{colours:?}");
        for (name, colour) in texts {
            let text = luminance(*colour);
            let contrast = (text.max(paper) + 0.05) / (text.min(paper) + 0.05);
            assert!(contrast >= 4.5, "--{name} has a contrast of {contrast:.2} in {theme}");
        }
    }
    // Rules use only the named colours.
    let rules = sheet.split(":root {").last().unwrap().split_once("}\n}").unwrap().1;
    let declarations = rules.split([';', '{', '}']).filter_map(|declaration| declaration.trim().split_once(": "));
    for (property, value) in declarations.filter(|(property, _)| property.contains("color") || *property == "background") {
        assert!(value.starts_with("var(--") || value == "currentcolor", "{property}: {value}");
    }
}
