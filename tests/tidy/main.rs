//! The rules of the house, kept by a machine: which room may use which, how long things may be, what never stands in
//! a file. Every rule is a function over texts in `rules`, and is shown there to fail on a bad example.

mod code;
mod promises;
mod rules;

use std::path::{Path, PathBuf};

use avatar_migrate::config::catalogue;
use promises::{Deep, Promises};
use rules::Source;

/// What is looked at.
const PLACES: [&str; 7] = ["src", "tests", "examples", "benches", "sql", "tools", ".ci"];

#[test]
fn rooms_use_only_rooms_above_them() {
    let sources = sources(&["src"], "rs");
    let lib = text(&sources, "src/lib.rs");
    let order = rules::room_order(lib);
    assert!(order.len() > 10, "src/lib.rs names only these rooms: {order:?}");
    check(&sources, |source| rules::upward_uses(source, &order));
}

#[test]
fn dangerous_crates_stay_in_their_rooms() {
    check(&sources(&["src"], "rs"), rules::foreign_crates);
}

#[test]
fn only_the_checker_says_verified() {
    check(&sources(&["src"], "rs"), rules::unchecked_verified);
}

#[test]
fn files_and_functions_are_short() {
    let sources = sources(&PLACES, "rs");
    check(&sources, rules::long_file);
    check(&sources, rules::long_functions);
}

#[test]
fn every_source_file_says_what_it_is() {
    check(&sources(&["src", "tests", "examples", "benches"], "rs"), rules::missing_head);
}

#[test]
fn nothing_is_left_for_later() {
    for place in PLACES {
        check(&sources(&[place], ""), rules::leftovers);
    }
}

#[test]
fn every_statement_is_used_and_explained() {
    let statements = sources(&["sql"], "sql");
    assert!(statements.len() > 20, "only {} statements", statements.len());
    check(&statements, rules::statement_head);
    let users: Vec<Source> =
        sources(&["src"], "rs").into_iter().filter(|source| source.path.starts_with("src/database")).collect();
    check(&statements, |statement| rules::unused_statement(statement, &users));
}

#[test]
fn every_setting_stands_in_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for setting in catalogue::all().chain([&catalogue::CONFIG]) {
        assert!(readme.contains(&format!("`--{}", setting.name)), "README.md does not name --{}", setting.name);
    }
}

#[test]
fn every_promise_and_every_hazard_names_tests_that_exist() {
    let missing = Promises::read(root()).missing_tests(root());
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn the_tables_of_promises_and_hazards_are_up_to_date() {
    let (promises, readme) =
        (Promises::read(root()), std::fs::read_to_string(root().join("README.md")).expect("README.md"));
    golden("README.md", &promises::with_table(&readme, &promises.table(&Deep::read(root()))));
    golden("docs/hazards.md", &promises.page());
}

fn golden(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).expect("a file that can be written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{path} is out of date: UPDATE_GOLDEN=1 cargo test --test tidy writes it");
}

/// Fails with all that a rule finds, so that it need not be run again and again.
fn check(sources: &[Source], rule: impl Fn(&Source) -> Vec<String>) {
    assert!(!sources.is_empty(), "there is nothing to look at");
    let found: Vec<String> = sources
        .iter()
        .flat_map(|source| rule(source).into_iter().map(|finding| format!("{}: {finding}", source.path)))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn text<'a>(sources: &'a [Source], path: &str) -> &'a str {
    let found = sources.iter().find(|source| source.path == path);
    &found.unwrap_or_else(|| panic!("there is no {path}")).text
}

/// The files with an ending below some places, with paths from the root; an empty ending takes all text files.
fn sources(places: &[&str], ending: &str) -> Vec<Source> {
    let mut files = Vec::new();
    for place in places {
        walk(&root().join(place), &mut files);
    }
    files.sort();
    let wanted = files.into_iter().filter(|file| ending.is_empty() || file.extension().is_some_and(|is| is == ending));
    wanted.filter_map(|file| read(&file)).collect()
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

/// `None` for files that are no text.
fn read(file: &Path) -> Option<Source> {
    let text = String::from_utf8(std::fs::read(file).expect("a readable file")).ok()?;
    let path = file.strip_prefix(root()).expect("a file of this project");
    Some(Source { path: path.to_string_lossy().into_owned(), text })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
