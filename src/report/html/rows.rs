//! The rows of the page: so many and so large at most, those that matter most first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::statuses::weight;
use crate::finding::{Finding, Proof, Status};
use crate::report::text::printable;

/// The most rows that a page holds.
pub const ROWS_MAX: usize = 10_000;
/// The most bytes that they take.
const BYTES_MAX: usize = 16 << 20;
/// The first rows of each status stay, however many weightier ones there are: whoever reads has seen one of each kind.
const OF_EACH: usize = 200;

/// One line of the report as the page has it. All texts are printable: nothing in them hides or steers.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    pub(super) status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) column: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) legacy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) modern: String,
    /// Left out where it is the legacy path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source: String,
    /// Left out where it is the modern path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source_etag: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) target_etag: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) sha256: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) proof: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) detail: String,
}

impl Row {
    pub(super) fn of(finding: &Finding) -> Self {
        let text = |text: Option<&str>| text.map(printable).unwrap_or_default();
        let (legacy, modern) = (text(finding.legacy_path.as_deref()), text(finding.modern_path.as_deref()));
        let source = text(finding.source_key.as_ref().map(|key| key.as_str()));
        let target = text(finding.target_key.as_ref().map(|key| key.as_str()));
        let row = finding.row.as_ref();
        Self {
            status: finding.status.word().to_owned(),
            column: row.map(|row| printable(&format!("{}.{}", row.table, row.column))).unwrap_or_default(),
            key: text(row.map(|row| row.primary_key.as_str())),
            source: if source == legacy { String::new() } else { source },
            target: if target == modern { String::new() } else { target },
            legacy,
            modern,
            size: finding.size,
            source_etag: text(finding.source_etag.as_ref().map(|etag| etag.as_str())),
            target_etag: text(finding.target_etag.as_ref().map(|etag| etag.as_str())),
            sha256: text(finding.sha256.as_deref()),
            proof: finding.proof.map(Proof::word).unwrap_or_default().to_owned(),
            detail: printable(&finding.detail),
        }
    }

    /// What stands before the change and after it: paths, or of an orphan keys.
    pub(super) fn before(&self) -> &str {
        if self.legacy.is_empty() { &self.source } else { &self.legacy }
    }

    pub(super) fn after(&self) -> &str {
        if self.modern.is_empty() { &self.target } else { &self.modern }
    }
}

/// Rows as JSON that can stand in a page, by weight.
#[derive(Debug)]
pub(super) struct Kept {
    by_weight: BTreeMap<usize, Vec<String>>,
    rows: usize,
    bytes: usize,
    most: (usize, usize),
}

impl Default for Kept {
    fn default() -> Self {
        Self::with(ROWS_MAX, BYTES_MAX)
    }
}

impl Kept {
    fn with(rows_max: usize, bytes_max: usize) -> Self {
        Self { by_weight: BTreeMap::new(), rows: 0, bytes: 0, most: (rows_max, bytes_max) }
    }

    /// Whether a row of this status would stay, so that those that would not need not be made.
    pub(super) fn wants(&self, status: Status) -> bool {
        let weight = weight(status);
        let few = self.by_weight.get(&weight).is_none_or(|rows| rows.len() < OF_EACH);
        self.rows < self.most.0 || few || self.by_weight.range(weight + 1..).any(|(_, rows)| rows.len() > OF_EACH)
    }

    /// Adds a row; the least weighty ones make room.
    pub(super) fn add(&mut self, status: Status, row: Row) {
        let Ok(json) = serde_json::to_string(&row) else { return };
        let json = inert(&json);
        self.rows += 1;
        self.bytes += json.len();
        self.by_weight.entry(weight(status)).or_default().push(json);
        while self.rows > self.most.0 || self.bytes > self.most.1 {
            let rich = self.by_weight.values_mut().rev().find(|rows| rows.len() > OF_EACH);
            let loser = match rich {
                Some(rows) => rows.pop(),
                None => self.by_weight.values_mut().rev().find(|rows| !rows.is_empty()).and_then(Vec::pop),
            };
            let Some(loser) = loser else { return };
            self.rows -= 1;
            self.bytes -= loser.len();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// The rows as JSON, the weightiest first, those of one status in the order of the report.
    pub(super) fn json(&self) -> impl Iterator<Item = &str> {
        self.by_weight.values().flatten().map(String::as_str)
    }

    /// The first of them, read back.
    pub(super) fn first(&self, count: usize) -> Vec<Row> {
        self.json().take(count).filter_map(|json| serde_json::from_str(json).ok()).collect()
    }
}

/// JSON that can stand in a page: nothing in it ends a script or begins a comment, and it means the same.
fn inert(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // Outside of its strings JSON has none of them.
            '<' => inert.push_str("\\u003c"),
            '>' => inert.push_str("\\u003e"),
            '&' => inert.push_str("\\u0026"),
            '\u{2028}' => inert.push_str("\\u2028"),
            '\u{2029}' => inert.push_str("\\u2029"),
            other => inert.push(other),
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::html::statuses::BY_WEIGHT;

    fn row(number: usize) -> Row {
        Row { key: number.to_string(), ..Row::default() }
    }

    fn keys(kept: &Kept) -> Vec<String> {
        kept.first(usize::MAX).into_iter().map(|row| row.key).collect()
    }

    #[test]
    fn problems_come_first_and_push_out_what_is_fine() {
        let mut kept = Kept::with(OF_EACH + 2, BYTES_MAX);
        for number in 0..OF_EACH + 2 {
            kept.add(Status::Migrated, row(number));
        }
        kept.add(Status::Mismatch, row(9001));
        kept.add(Status::Legacy, row(9002));
        kept.add(Status::Migrated, row(9003));
        let expected: Vec<String> = [9001, 9002].into_iter().chain(0..OF_EACH).map(|key| key.to_string()).collect();
        assert_eq!(keys(&kept), expected);
        kept.add(Status::Conflict, row(9004));
        assert_eq!(kept.len(), OF_EACH + 2);
        assert_eq!(keys(&kept)[..3], ["9001", "9004", "9002"]);
    }

    #[test]
    fn a_flood_of_one_problem_hides_no_other() {
        let mut kept = Kept::with(1000, BYTES_MAX);
        kept.add(Status::Conflict, row(1));
        for number in 0..5000 {
            kept.add(Status::MissingTarget, row(number));
        }
        kept.add(Status::Suspect, row(2));
        kept.add(Status::Migrated, row(3));
        assert_eq!(kept.len(), 1000);
        assert_eq!(keys(&kept)[997..], ["1", "2", "3"]);
    }

    #[test]
    fn rows_of_hostile_length_are_bounded_by_their_bytes() {
        let mut kept = Kept::with(ROWS_MAX, 100_000);
        for number in 0..500 {
            kept.add(Status::Migrated, Row { legacy: "<".repeat(1024), ..row(number) });
        }
        assert!(kept.bytes <= 100_000 && kept.len() > 10, "{} rows, {} bytes", kept.len(), kept.bytes);
        kept.add(Status::Conflict, row(1));
        assert_eq!(kept.first(1).first().map(|row| row.key.clone()).as_deref(), Some("1"));
        assert_eq!(kept.json().map(str::len).sum::<usize>(), kept.bytes);
    }

    proptest! {
        #[test]
        fn what_stands_in_a_page_is_inert_and_means_the_same(text in any::<String>(), tail in "(</script|<!--|&lt;|\u{2028}|\\]\\]>)*") {
            let row = Row { legacy: text + &tail, ..Row::default() };
            let json = inert(&serde_json::to_string(&row).expect("JSON"));
            prop_assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n', '\r']), "{}", json);
            prop_assert_eq!(serde_json::from_str::<Row>(&json).expect("JSON"), row);
        }

        #[test]
        fn the_first_of_each_status_stay(statuses in prop::collection::vec(0..BY_WEIGHT.len(), 0..4000)) {
            let mut kept = Kept::with(OF_EACH * BY_WEIGHT.len(), BYTES_MAX);
            for (number, status) in statuses.iter().enumerate() {
                let (status, wanted) = (BY_WEIGHT[*status], kept.wants(BY_WEIGHT[*status]));
                kept.add(status, row(number));
                let stayed = kept.by_weight[&weight(status)].last().is_some_and(|json| *json == inert(&serde_json::to_string(&row(number)).expect("JSON")));
                prop_assert_eq!(wanted, stayed);
            }
            prop_assert_eq!(kept.len(), statuses.len().min(OF_EACH * BY_WEIGHT.len()));
            for (status, rows) in &kept.by_weight {
                let all: Vec<usize> = (0..statuses.len()).filter(|number| statuses[*number] == *status).collect();
                let keys: Vec<usize> = rows.iter().map(|json| serde_json::from_str::<Row>(json).expect("JSON").key.parse().expect("a number")).collect();
                prop_assert!(keys.len() >= all.len().min(OF_EACH), "{} of {}", keys.len(), all.len());
                prop_assert_eq!(&keys[..], &all[..keys.len()]);
            }
        }
    }
}
