//! YAML. Plain scalars have the types of YAML's core schema. Aliases and merge keys (`<<`) work, as they do in Prometheus' own files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::{Node, ParseError, REPEATED, Value, scalar};

/// The formats that are read have at most six levels. Each level takes some of the stack.
const MAX_DEPTH: usize = 16;

/// Number of values that aliases may copy in a document of any length. A longer document may have more copies: one for two bytes, because a
/// list without aliases can have as many values. Aliases of aliases could otherwise fill the memory.
const COPIES: usize = 100_000;

/// Parses a document. An empty document is `Null`.
pub fn parse(text: &str) -> Result<Node, ParseError> {
    let options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    let parser = Parser::new_from_str_with_options(text, options);
    let copies_left = COPIES.max(text.len() / 2);
    let mut composer = Composer { parser, anchors: BTreeMap::new(), copies_left };
    let mut root = None;
    loop {
        match composer.next()? {
            (Event::StreamEnd, _) => return Ok(root.unwrap_or(Node { line: 1, value: Value::Null })),
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (_, at) if root.is_some() => return Err(error(at, "a second document; keep one of them")),
            event => root = Some(composer.node(event, 0)?),
        }
    }
}

/// Builds values from a parser's events.
struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The values with an anchor, by its number.
    anchors: BTreeMap<usize, Node>,
    copies_left: usize,
}

type Located<'a> = (Event<'a>, Marker);

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<Located<'a>, ParseError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => Err(invalid(&error)),
            None => Ok((Event::StreamEnd, Marker::default())),
        }
    }

    /// The value that begins with an event.
    fn node(&mut self, (event, at): Located<'a>, depth: usize) -> Result<Node, ParseError> {
        if depth > MAX_DEPTH {
            return Err(error(at, INVALID));
        }
        let line = at.line();
        let (anchor, value, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar::value(text, style, tag.as_deref()), tag),
            Event::SequenceStart(_, anchor, tag) => (anchor, self.list(depth)?, tag),
            Event::MappingStart(_, anchor, tag) => (anchor, self.map(depth)?, tag),
            Event::Alias(anchor) => (0, self.copy(anchor, at)?, None),
            _ => return Err(error(at, INVALID)),
        };
        if !scalar::fits(&value, tag.as_deref()) {
            return Err(error(at, "a tag, such as !name, that is not supported here; leave it out"));
        }
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(list)),
                event => list.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ParseError> {
        let mut map = BTreeMap::new();
        let mut merged = None;
        loop {
            let (key, style, at) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, style, ..), at) => (key, style, at),
                (_, at) => return Err(error(at, "a key that is not a text; write keys as \"key: value\"")),
            };
            let value = self.next()?;
            let node = self.node(value, depth + 1)?;
            if key == "<<" && style == ScalarStyle::Plain {
                if merged.replace(maps(node.value).ok_or_else(|| error(at, NOT_MERGED))?).is_some() {
                    return Err(error(at, REPEATED));
                }
                continue;
            }
            match map.entry(key.into_owned()) {
                Entry::Vacant(entry) => _ = entry.insert(Node { line: at.line(), value: node.value }),
                Entry::Occupied(_) => return Err(error(at, REPEATED)),
            }
        }
        // Keys of the mapping itself take precedence, then those of the first merged mapping.
        for (key, node) in merged.into_iter().flatten().flatten() {
            map.entry(key).or_insert(node);
        }
        Ok(Value::Map(map))
    }

    fn copy(&mut self, anchor: usize, at: Marker) -> Result<Value, ParseError> {
        let node = self.anchors.get(&anchor).ok_or_else(|| error(at, "an alias of a value that it is a part of"))?;
        let left = self.copies_left.checked_sub(node.count());
        self.copies_left = left.ok_or_else(|| error(at, "too many values are copied by aliases; write them out"))?;
        Ok(node.value.clone())
    }
}

/// The mappings of a merge key's value: one, or a list of them. `None` if the value is something else.
fn maps(value: Value) -> Option<Vec<BTreeMap<String, Node>>> {
    match value {
        Value::Map(map) => Some(vec![map]),
        Value::List(list) => {
            list.into_iter().map(|node| if let Value::Map(map) = node.value { Some(map) } else { None }).collect()
        }
        _ => None,
    }
}

const NOT_MERGED: &str = "the value of << is not a mapping; give an alias of one, such as *name, or a list of them";

const INVALID: &str = "not valid YAML; check its indentation, and put texts with special characters in quotes";

fn invalid(scan: &ScanError) -> ParseError {
    error(*scan.marker(), INVALID)
}

fn error(at: Marker, message: &'static str) -> ParseError {
    ParseError { place: (at.line(), at.col() + 1), message }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: Node) -> serde_json::Value {
        match node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => value.into(),
            Value::Integer(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::List(list) => list.into_iter().map(plain).collect(),
            Value::Map(map) => map.into_iter().map(|(key, node)| (key, plain(node))).collect(),
        }
    }

    #[test]
    fn anchors_merge_keys_and_block_texts_are_read() {
        let text = "base: &base {a: 1, b: two}\nlist:\n- *base\n- <<: *base\n  b: three\n- <<: [{c: 4}, *base]\ntext: |\n  one\n  two\nempty:\n\"<<\": 1\n";
        let expected = serde_json::json!({
            "base": {"a": 1, "b": "two"},
            "list": [{"a": 1, "b": "two"}, {"a": 1, "b": "three"}, {"a": 1, "b": "two", "c": 4}],
            "text": "one\ntwo\n",
            "empty": null,
            "<<": 1,
        });
        assert_eq!(plain(parse(text).unwrap()), expected);
        assert_eq!(parse("").unwrap().value, Value::Null);
        assert_eq!(parse("# a comment\n").unwrap().value, Value::Null);
    }

    #[test]
    fn each_mistake_has_its_place_and_message() {
        for (text, place, message) in [
            ("a: 1\na: 2\n", (2, 1), "given twice"),
            ("a: 1\n---\nb: 2\n", (3, 1), "a second document"),
            ("a: [1\nb: 2", (2, 2), "not valid"),
            ("? [1]\n: 2\n", (1, 3), "a key that is not a text"),
            ("a: &a [*a]\n", (1, 8), "an alias of a value"),
            ("a: *b\n", (1, 4), "not valid"),
            ("a: 1\n<<: b\n", (2, 1), "not a mapping"),
            ("<<:\n", (1, 1), "not a mapping"),
            ("a: &a {b: 1}\n<<: [*a, 1]\n", (2, 1), "not a mapping"),
            ("a: &a {b: 1}\n<<: *a\n<<: *a\n", (3, 1), "given twice"),
            ("a: !secret b\n", (1, 12), "a tag"),
            ("a: !!binary aGk=\n", (1, 13), "a tag"),
            ("a: !vault |\n  b\n", (2, 3), "a tag"),
            ("a: !!int b\n", (1, 10), "a tag"),
            ("- !set {a: 1}\n", (1, 8), "a tag"),
            ("- !!map [1]\n", (1, 9), "a tag"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.place, place, "{text}");
            assert!(error.to_string().contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn tags_of_the_core_schema_are_taken() {
        let text = "!!map\na: !!int 1\nb: !!float 1\nc: !!bool yes\nd: !!null ~\ne: !!seq [!!str 1, ! 2]\n!!merge <<: {f: !!int \"5\"}\n";
        let expected = serde_json::json!({"a": 1, "b": 1, "c": true, "d": null, "e": ["1", "2"], "f": 5});
        assert_eq!(plain(parse(text).unwrap()), expected);
    }

    #[test]
    fn a_long_list_can_have_many_aliases() {
        let list = "- <<: *a\n  name: b\n".repeat(30_000);
        let document = parse(&format!("- &a {{name: a, wallets: {{p: b}}, endpoints: [c, d]}}\n{list}")).unwrap();
        assert_eq!(document.items().len(), 30_001);
    }

    #[test]
    fn a_document_without_end_is_an_error() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            assert!(parse(&text).is_err());
        }
        let laughs = (1..30).fold("a0: &a0 [1]\n".to_owned(), |text, i| {
            let before = format!("*a{}", i - 1);
            format!("{text}a{i}: &a{i} [{before}, {before}, {before}]\n")
        });
        assert!(parse(&laughs).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).*", yaml in "([a-z]{1,2}: |\\[|\\]|- |\n|  |'|\"|&a |\\*a|<<: |#|~|\\|\n|!!str |0x|1.5e3|,|\\{|\\}){0,40}") {
            for text in [text, yaml] {
                let _ = parse(&text);
            }
        }

        #[test]
        fn values_are_the_same_as_with_another_parser(
            yaml in "([a-z]{1,2}: |- |\n|  |[a-z]{1,3}|true|no|null|~|0|-?[1-9][0-9]{0,3}|0x1f|0o17|[0-9]\\.[0-9]|1e3|\\.5|'[a-z ]*'|\"[a-z]*\"|\\[a, 1\\]|!!str 1){0,12}"
        ) {
            // The other parser reads 00 as 0.0. In YAML's core schema, it is an integer.
            let has_leading_zero = |word: &str| {
                word.len() > 1 && word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit())
            };
            prop_assume!(!yaml.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').any(has_leading_zero));
            if let (Ok(own), Ok(other)) = (parse(&yaml), serde_saphyr::from_str::<Option<serde_json::Value>>(&yaml)) {
                prop_assert_eq!(plain(own), other.unwrap_or_default());
            }
        }
    }
}
