//! What the person sees: colours and rules on a terminal, plain text in a pipe.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a demo is there to be read")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use avatar_migrate::finding::{Finding, Proof, Status};
use avatar_migrate::report::csv::ReportReader;
use console::{Term, style};

use crate::snapshot::{Row, Snapshot};
use crate::stage::{LEGACY, PRODUCTION};

const WIDTH: usize = 96;

/// Standard output.
pub(crate) struct Screen {
    attended: bool,
    steps: Cell<usize>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { attended: Term::stdout().features().is_attended(), steps: Cell::new(0) }
    }

    /// The headline.
    pub(crate) fn title(&self, text: &str) {
        println!("\n{}\n", style(text).bold());
    }

    /// A new chapter.
    pub(crate) fn step(&self, text: &str) {
        self.steps.set(self.steps.get() + 1);
        let head = format!("{}. {text}", self.steps.get());
        if self.attended {
            let rule = "─".repeat(WIDTH.saturating_sub(head.chars().count() + 4));
            println!("{} {} {}\n", style("──").dim(), style(head).bold().cyan(), style(rule).dim());
        } else {
            println!("== {head}\n");
        }
    }

    /// A sentence.
    pub(crate) fn say(&self, text: &str) {
        println!("{text}");
    }

    /// A line that is meant to be copied: nothing around it.
    pub(crate) fn plain(&self, text: &str) {
        println!("{text}");
    }

    /// An empty line.
    pub(crate) fn gap(&self) {
        println!();
    }

    /// The command that runs now. The program writes to the same terminal, so nothing may be left in a buffer.
    pub(crate) fn command(&self, line: &str) {
        println!("{} {}\n", style("$").dim(), style(line).bold().green());
        std::io::stdout().flush().unwrap_or_default();
    }

    /// Whether something that was promised holds.
    pub(crate) fn claim(&self, text: &str, holds: bool) {
        let mark = match (holds, self.attended) {
            (true, true) => style("✓").green().bold(),
            (false, true) => style("✗").red().bold(),
            (true, false) => style("ok    "),
            (false, false) => style("BROKEN"),
        };
        println!("  {mark} {text}");
    }

    /// Why the demo ended early.
    pub(crate) fn failed(&self, text: &str) {
        eprintln!("\n{}", style(text).for_stderr().red().bold());
    }

    /// Some rows of both tables, and how many there are of each kind.
    pub(crate) fn rows(&self, snapshot: &Snapshot) {
        let shown = |prefix: &str, count| {
            let of_table = snapshot.rows.iter().filter(move |row| row.place.starts_with(prefix));
            of_table.take(count).collect::<Vec<_>>()
        };
        for row in shown("avatars.", 4).into_iter().chain(shown("profiles.", 4)) {
            self.row(row);
        }
        let (legacy, modern) = (snapshot.count("image/avatar-"), snapshot.count("avatar/avatar-"));
        println!("  … {} rows: {legacy} legacy, {modern} modern\n", snapshot.rows.len());
    }

    fn row(&self, row: &Row) {
        let path = row.path.as_deref().unwrap_or("NULL");
        let painted = match path {
            _ if path.starts_with("avatar/") => style(path).green(),
            _ if path.starts_with("image/avatar-") => style(path).yellow(),
            _ => style(path).dim(),
        };
        let written = row.updated_at.as_deref().unwrap_or_default();
        // The padding is counted without colours.
        let gap = " ".repeat(26_usize.saturating_sub(path.chars().count()));
        let line = format!("  {:<28} {:<12} {painted}{gap} {}", row.place, row.owner, style(written).dim());
        println!("{}", line.trim_end());
    }

    /// How many objects the buckets hold, at several moments.
    pub(crate) fn buckets(&self, moments: &[(&str, &Snapshot)]) {
        let heads: Vec<String> = moments.iter().map(|(moment, _)| format!("{moment:>16}")).collect();
        println!("  {:<14}{}", "", style(heads.concat()).dim());
        for bucket in [LEGACY, PRODUCTION] {
            let counts: Vec<String> =
                moments.iter().map(|(_, snapshot)| format!("{:>16}", snapshot.keys(bucket).count())).collect();
            println!("  {bucket:<14}{}", counts.concat());
        }
        println!();
    }

    /// A line of each kind in a report, and how many there are of it.
    pub(crate) fn excerpt(&self, report: &Path) -> Result<()> {
        let mut kinds: BTreeMap<Status, (Finding, usize)> = BTreeMap::new();
        for line in ReportReader::open(report)? {
            let finding = line?.finding;
            kinds.entry(finding.status).or_insert((finding, 0)).1 += 1;
        }
        let name = report.file_name().unwrap_or_default().to_string_lossy();
        println!("In {name}, one line a row and one an orphan:");
        println!("  {}", style(format!("{:>5} {:<13}{:<30}{:<26}proof", "lines", "status", "row", "target_key")).dim());
        for (finding, count) in kinds.values() {
            let row = finding.row.as_ref();
            let row = row.map(|row| format!("{}.{} {}", row.table, row.column, row.primary_key)).unwrap_or_default();
            let key = finding.target_key.as_ref().map(|key| key.as_str()).unwrap_or_default();
            let proof = finding.proof.map_or("none", Proof::word);
            println!("  {count:>5} {:<13}{row:<30}{key:<26}{proof}", finding.status.word());
        }
        println!();
        Ok(())
    }
}
