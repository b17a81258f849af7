//! The selectors of a `PromQL` expression. A real Prometheus checks that the expression is valid.

/// A selector and its context.
#[derive(Debug, PartialEq)]
pub(super) struct Selector<'a> {
    /// Empty if the name is among the matchers.
    pub(super) metric: &'a str,
    /// The text between the braces; empty without braces.
    pub(super) matchers: &'a str,
    /// The text between the brackets after it.
    pub(super) range: Option<&'a str>,
    /// The function or aggregation around it.
    pub(super) function: Option<&'a str>,
}

/// Words that take a list of labels.
const LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Other words that are no metrics.
const WORDS: &[&str] = &["and", "or", "unless", "bool", "offset"];

/// The selectors of an expression, in order.
pub(super) fn selectors(expression: &str) -> Vec<Selector<'_>> {
    let mut selectors = Vec::new();
    let mut functions = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:$".contains(c))).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let starts_name = first.is_ascii_alphabetic() || first == '_';
        match first {
            '"' => rest = &rest[1 + quoted(rest)..],
            ')' => {
                functions.pop();
                rest = &rest[1..];
            }
            '(' => {
                functions.push(None);
                rest = &rest[1..];
            }
            '[' => rest = &rest[rest.find(']').unwrap()..],
            _ if starts_name && LISTS.contains(&word) => {
                rest = after.trim_start();
                if rest.starts_with('(') {
                    rest = &rest[rest.find(')').unwrap() + 1..];
                }
                // `sum by (a) (x)`: `x` is an argument of `sum`.
                if word == "by" && rest.trim_start().starts_with('(') {
                    functions.push(None);
                    rest = &rest.trim_start()[1..];
                }
            }
            _ if starts_name && WORDS.contains(&word) => rest = after,
            _ if starts_name && after.starts_with('(') => {
                functions.push(Some(word));
                rest = &after[1..];
            }
            // An aggregation with its labels before its argument.
            _ if starts_name && after.trim_start().starts_with("by ") => rest = after,
            '{' => selectors.push(selector("", rest, &functions, &mut rest)),
            _ if starts_name => selectors.push(selector(word, after, &functions, &mut rest)),
            _ => rest = if length > 0 { after } else { &rest[first.len_utf8()..] },
        }
    }
    selectors
}

/// Reads the rest after a selector's name.
fn selector<'a>(metric: &'a str, after: &'a str, functions: &[Option<&'a str>], rest: &mut &'a str) -> Selector<'a> {
    let end = if after.starts_with('{') { braces(after) } else { 0 };
    let matchers = if end > 0 { &after[1..end] } else { "" };
    *rest = &after[if end > 0 { end + 1 } else { 0 }..];
    let range = rest.strip_prefix('[').map(|range| &range[..range.find(']').unwrap()]);
    Selector { metric, matchers, range, function: functions.last().copied().flatten() }
}

/// The index of the quote that ends a quoted text.
fn quoted(text: &str) -> usize {
    text[1..].find('"').unwrap() + 1
}

/// The index of the brace that ends matchers. A quoted text can contain braces too.
fn braces(text: &str) -> usize {
    let mut is_quoted = false;
    text.char_indices()
        .find_map(|(place, c)| {
            is_quoted ^= c == '"';
            (c == '}' && !is_quoted).then_some(place)
        })
        .unwrap()
}

#[test]
fn selectors_are_found_wherever_they_stand() {
    let found = |expression| {
        selectors(expression).into_iter().map(|s| (s.metric, s.matchers, s.range, s.function)).collect::<Vec<_>>()
    };
    assert_eq!(found("up"), [("up", "", None, None)]);
    assert_eq!(found("vector(0) or time() - 3"), []);
    assert_eq!(
        found(r#"60 * sum by (a, b) (rate(x_total{job=~"$job", c="}"}[$__rate_interval])) / (y > 1)"#),
        [("x_total", r#"job=~"$job", c="}""#, Some("$__rate_interval"), Some("rate")), ("y", "", None, None)]
    );
    assert_eq!(
        found(r#"label_replace(max({__name__=~"a|b"}) == 0, "d", "e", "", "") and on (d) topk(10, z @ end())"#),
        [("", r#"__name__=~"a|b""#, None, Some("max")), ("z", "", None, Some("topk"))]
    );
    assert_eq!(
        found("count by (v) (w{}) * on (i) group_left () (increase(u[1d] offset -1d)) == bool 0"),
        [("w", "", None, None), ("u", "", Some("1d"), Some("increase"))]
    );
}
