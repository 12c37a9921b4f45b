//! The page of servers, `docs/servers.md`: made from what was measured, and read back for servers that are not started.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::capabilities::PROBES;
use crate::program::TRIALS;

/// What was measured of one server: the row's name to the cell.
pub(crate) type Column = BTreeMap<String, String>;

/// The row that tells the version.
pub(crate) const VERSION: &str = "version";

const HEAD: &str = "\
# What S3 servers do, and what avatarMigrate does there

Written by `UPDATE_GOLDEN=1 cargo test -p avatar-migrate-kit --test contract page_of_servers`; a test fails if it is not what was
measured. Every run measures the embedded server, which stands for AWS, and SeaweedFS; `make deep` measures moto and s3s-fs
as well. Each is started on the loopback, on data of its own. Garage is left out because it takes 20 minutes to compile, Ceph because
it takes minutes to start.
";

const PROGRAM: &str = "\
## What avatarMigrate finds and does

The program's own canaries, run on the server, in the words of `avatarMigrate doctor`. *pass*: it runs as on AWS. *warn*: it runs, and
does by itself what is said. *fail*: a command refuses until the advice is followed.
";

const PROBED: &str = "\
## What else the server does
";

const CONTRACT: &str = "\
## The contract

The suite that the embedded server and SeaweedFS have to pass, each with its known differences, here judged by what AWS does.
";

/// The whole page.
pub(crate) fn page(columns: &[(String, Column)], cases: &[&str]) -> String {
    let rows = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let spoken: Vec<String> = cases.iter().map(|case| case.replace('_', " ")).collect();
    let tables = [
        table(columns, &rows(&[&[VERSION], TRIALS.as_slice()].concat())),
        table(columns, &rows(&PROBES)),
        table(columns, &spoken),
    ];
    let [program, probed, contract] = tables;
    format!("{HEAD}\n{PROGRAM}\n{program}\n{PROBED}\n{probed}\n{CONTRACT}\n{contract}")
}

/// Where the page is.
pub(crate) fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/servers.md")
}

/// The column of a server in a page, as far as it has one.
pub(crate) fn column_of(page: &str, server: &str) -> Column {
    let mut column = Column::new();
    let mut place = None;
    for line in page.lines() {
        let cells: Vec<&str> = cells(line);
        match cells.first() {
            None if line.is_empty() => place = None,
            None => {}
            Some(&"") => place = cells.iter().position(|cell| *cell == server),
            Some(row) => {
                let cell = place.and_then(|place| cells.get(place));
                column
                    .extend(cell.filter(|cell| **cell != UNKNOWN).map(|cell| ((*row).to_owned(), (*cell).to_owned())));
            }
        }
    }
    column
}

fn table(columns: &[(String, Column)], rows: &[String]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!("|  | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for row in rows {
        let cells = columns.iter().map(|(_, column)| column.get(row).map_or(UNKNOWN, String::as_str));
        text.push_str(&format!("| {row} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    }
    text
}

/// The cells of a line of a table; none of any other line, the one below the head included.
fn cells(line: &str) -> Vec<&str> {
    let inside = line.strip_prefix("| ").and_then(|rest| rest.strip_suffix(" |"));
    inside.map_or_else(Vec::new, |inside| inside.split(" | ").map(str::trim).collect())
}

const UNKNOWN: &str = "–";

#[test]
fn a_column_survives_its_page() {
    let column = |version: &str| Column::from([(VERSION.to_owned(), version.to_owned())]);
    let columns = [("one".to_owned(), column("1.0")), ("two".to_owned(), column("2.0"))];
    let page = page(&columns, &["a_case"]);
    assert_eq!(column_of(&page, "one"), column("1.0"));
    assert_eq!(column_of(&page, "two"), column("2.0"));
    assert_eq!(column_of(&page, "three"), Column::new());
}
