//! The lists in the API's answers: the nouns for their entries, and their order.

use super::field::{Field, unix_seconds};

/// A list, or an object that is shown as a list.
pub(super) struct List {
    /// The name of the field or endpoint.
    name: &'static str,
    /// The noun for one entry and for several.
    nouns: [&'static str; 2],
    /// The field that entries are sorted by; `None` keeps the API's order.
    key: Option<&'static str>,
    /// A description of the order.
    order: &'static str,
}

static LISTS: &[List] = &[
    list("transfers", ["transfer", "transfers"]).by("created", "newest last"),
    list("withdrawals", ["withdrawal", "withdrawals"]).by("created", "newest last"),
    list("invoices", ["invoice", "invoices"]).by("created", "newest last"),
    list("affiliate_childrens", ["affiliate", "affiliates"]).by("registered", "newest last"),
    list("miners", ["worker", "workers"]).by("name", "by name"),
    list("top_hashrate", ["miner", "miners"]).in_order("highest hashrate first"),
    list("profit_rating", ["currency", "currencies"]).in_order("most profitable first"),
    list("balance", ["currency", "currencies"]),
    list("affiliate_profit", ["currency", "currencies"]),
    list("affiliate_links", ["link", "links"]),
];

const fn list(name: &'static str, nouns: [&'static str; 2]) -> List {
    List { name, nouns, key: None, order: "" }
}

impl List {
    const fn by(self, key: &'static str, order: &'static str) -> List {
        List { key: Some(key), order, ..self }
    }

    const fn in_order(self, order: &'static str) -> List {
        List { order, ..self }
    }

    pub(super) fn find(name: &str) -> Option<&'static List> {
        LISTS.iter().find(|list| list.name == name)
    }

    /// Sorts entries. Entries without the key come first.
    pub(super) fn sort(&self, entries: &mut [Field<'_>]) {
        let Some(key) = self.key else { return };
        let time = |entry: &Field<'_>| entry.text_of(key).and_then(unix_seconds);
        if key == "name" {
            entries.sort_by_key(|entry| entry.text_of(key));
        } else {
            entries.sort_by(|a, b| match (time(a), time(b)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            });
        }
    }

    /// The number of entries, and their order.
    pub(super) fn summary(&self, entries: usize) -> String {
        let [one, several] = self.nouns;
        match entries {
            0 => format!("no {several}"),
            1 => format!("1 {one}"),
            n if self.order.is_empty() => format!("{n} {several}"),
            n => format!("{n} {several}, {}", self.order),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::cli::query::json::Json;

    #[test]
    fn entries_are_sorted_and_counted() {
        for (name, entries, order, summary) in [
            (
                "withdrawals",
                r#"[{"created": 3.5}, {"created": "20"}, {"id": 0}, {"created": 1}]"#,
                [2, 3, 0, 1],
                "4 withdrawals, newest last",
            ),
            ("miners", r#"[{"name": "b"}, {"name": "a"}, {"name": "C"}, {}]"#, [3, 2, 1, 0], "4 workers, by name"),
            ("top_hashrate", "[{}, {}, {}, {}]", [0, 1, 2, 3], "4 miners, highest hashrate first"),
            ("balance", "[1, 2, 3, 4]", [0, 1, 2, 3], "4 currencies"),
        ] {
            let raw = RawValue::from_string(entries.to_owned()).unwrap();
            let Json::List(elements) = Json::read(&raw).unwrap() else { panic!("{entries}") };
            let mut fields: Vec<_> = elements.iter().map(|json| Field::new(name, None, json)).collect();
            let list = List::find(name).unwrap();
            list.sort(&mut fields);
            let found = fields.iter().map(|field| elements.iter().position(|json| std::ptr::eq(json, field.json)).unwrap());
            assert_eq!(found.collect::<Vec<_>>(), order, "{name}");
            assert_eq!(list.summary(4), summary);
        }
        let [none, one] = [0, 1].map(|entries| List::find("invoices").unwrap().summary(entries));
        assert_eq!((&*none, &*one), ("no invoices", "1 invoice"));
    }
}
