//! The rules of the house, kept by a machine: which room may use which, how long things may be, what never stands in
//! a file. Every rule is a function over texts in `rules`, and is shown there to fail on a bad example.

mod code;
mod documents;
mod json;
mod promises;
mod rules;

use std::path::{Path, PathBuf};

use avatar_migrate::config::catalogue;
use avatar_migrate::report::csv::COLUMNS;
use promises::{Deep, Promises};
use rules::Source;

/// What is looked at.
const PLACES: [&str; 8] = ["src", "tests", "examples", "benches", "deploy", "sql", "tools", ".ci"];

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

#[test]
fn every_message_is_explained() {
    let pages = documents::page(&[document("what-if").text, document("output").text].concat());
    check(&sources(&["src"], "rs"), |source| documents::unexplained(source, &pages));
}

#[test]
fn every_exit_code_and_every_status_is_explained() {
    let (what_if, sources) = (document("what-if").text, sources(&["src"], "rs"));
    let codes = documents::exit_codes(text(&sources, "src/failure.rs"));
    let statuses = text(&sources, "src/finding.rs").split("pub enum Proof").next().unwrap_or_default();
    let statuses = documents::marked(statuses, &["=>"]);
    assert!(codes.len() > 6 && statuses.len() > 13, "only {codes:?} and {statuses:?}");
    assert_eq!(documents::missing(&what_if, codes, ("\n| ", " |")), [""; 0], "exit codes");
    assert_eq!(documents::missing(&what_if, statuses, ("\n#### `", "`\n")), [""; 0], "statuses");
}

#[test]
fn every_column_counter_and_line_of_the_output_is_described() {
    let (output, sources) = (document("output").text, sources(&["src"], "rs"));
    let undescribed = |names: Vec<String>| documents::missing(&output, names, ("`", "`"));
    let of = |path: &str, markers: &[&str]| documents::marked(text(&sources, path), markers);
    assert_eq!(undescribed(COLUMNS.map(str::to_owned).into()), [""; 0], "columns");
    assert_eq!(undescribed(of("src/finding.rs", &["=>"]).into_iter().collect()), [""; 0], "statuses and proofs");
    for source in &sources {
        let checks =
            ["Check::pass(", "Check::warn(", "Check::fail(", "letname=", "let(name,side)=(", "failed(", "failed_on("];
        let is_doctor = source.path.starts_with("src/operate/doctor");
        let checks = if is_doctor { documents::marked(&source.text, &checks) } else { Default::default() };
        let phases = documents::marked(&source.text, &[".phase("]);
        assert_eq!(undescribed(checks.into_iter().chain(phases).collect()), [""; 0], "{}", source.path);
        let figures = documents::marked(&source.text, &["Figure::always(", "Figure::some(", "Figure::of("]);
        assert_eq!(documents::missing(&output, figures, ("", "")), [""; 0], "{}", source.path);
        let verdicts = documents::marked(&source.text, &["Tone::Good,", "Tone::Warning,", "Tone::Bad,"]);
        let is_shown = source.path.starts_with("src/report/human");
        assert_eq!(undescribed(verdicts.into_iter().filter(|_| is_shown).collect()), [""; 0], "{}", source.path);
    }
}

#[test]
fn every_key_of_the_json_is_described() {
    let (output, sources) = (document("output").text, sources(&["src"], "rs"));
    let of_all = section(&output, "The JSON");
    for (name, keys) in json::objects() {
        let described = format!("{of_all}{}", section(&output, name));
        assert_eq!(documents::missing(&described, keys, ("`", "`")), [""; 0], "{name}");
    }
    let commands = sources.iter().flat_map(|source| documents::marked(&source.text, &["(tag=,rename="]));
    let known = json::objects().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(commands.filter(|command| !known.contains(&command.as_str())).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_documents_name_what_exists() {
    for name in ["what-if", "output", "runbook"] {
        let page = document(name);
        let beside = |path: &str| std::fs::read_to_string(root().join("docs").join(path)).ok();
        assert_eq!(documents::unknown_words(&page), [""; 0], "{name}");
        assert_eq!(documents::dead_links(&page, beside), [""; 0], "{name}");
    }
}

#[test]
fn what_engines_are_given_exists() {
    let files = sources(&["deploy"], "");
    check(&files, |file| documents::unknown_words(&documents::typed(file)));
    check(&files, documents::unknown_settings);
    let beside = |path: &str| std::fs::read_to_string(root().join("deploy").join(path)).ok();
    assert_eq!(documents::dead_links(source(&files, "deploy/README.md"), beside), [""; 0]);
}

fn document(name: &str) -> Source {
    let path = format!("docs/{name}.md");
    let text = std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Source { path, text }
}

/// A page's section from the heading that begins so to the next heading.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let begins = |level: &str| page.find(&format!("\n{level} {name}"));
    let from = begins("##").or_else(|| begins("###")).unwrap_or_else(|| panic!("no section {name}")) + 1;
    let section = page.get(from..).unwrap_or_default();
    section.get(..section.find("\n#").unwrap_or(section.len())).unwrap_or_default()
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
    &source(sources, path).text
}

fn source<'a>(sources: &'a [Source], path: &str) -> &'a Source {
    sources.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("there is no {path}"))
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
