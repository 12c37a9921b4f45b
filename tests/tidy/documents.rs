//! The documents for operators against the program: whatever it can say, count or exit with stands in docs/what-if.md or
//! docs/output.md, and what the documents and the files for engines tell to type exists.
//!
//! What is gathered: every string of `src` with three fixed words in a row, or two where an error is made of it, outside
//! tests. What is not: hints, which stand below their message; the texts of `--help`; the advice of `doctor` and of the
//! summaries, which are what to do already; the sentences of the page.

use std::collections::BTreeSet;

use avatar_migrate::cli::arguments;
use avatar_migrate::config::catalogue;

use crate::code::{code_only, literals};
use crate::rules::Source;

/// Files whose sentences need no explanation, or are those of another program.
const SELF_EXPLAINING: [&str; 8] = [
    "src/cli/help.rs",
    "src/config/catalogue",
    "src/config/example.rs",
    "src/operate/doctor/",
    "src/operate/policy/text.rs",
    "src/operate/redirect/haproxy.rs",
    "src/report/html/",
    "src/report/human/",
];
/// Code before a string that says what to do, or that nobody is shown.
const HINTS: [&str; 8] =
    [".hint(", ".hint(format!(", "lethint=", "lethint=format!(", "hint:", "hint:format!(", ".help(", "reason="];
/// Code before a string of which an error is made.
const ERRORS: [&str; 7] =
    ["ConfigError::new(", "ConfigError::new(format!(", "bail!(", "anyhow!(", ".context(", "#[error(", "wrong("];
/// How pieces of SQL begin.
const SQL: [&str; 8] = ["AND ", "CREATE ", "DO ", "ELSE ", "ON ", "SELECT ", "START ", "WHERE "];
/// Flags of other programs that the documents name.
const FLAGS_OF_OTHERS: [&str; 1] = ["profile"];

/// What a file can say and the pages do not hold. `pages` comes from [`page`].
pub(crate) fn unexplained(source: &Source, pages: &str) -> Vec<String> {
    let said = messages(source).into_iter().filter(|message| !pages.contains(message.as_str()));
    said.map(|message| format!("neither docs/what-if.md nor docs/output.md holds `{message}`")).collect()
}

/// A page as it is compared: without marks of code and emphasis, a blank for all white space.
pub(crate) fn page(text: &str) -> String {
    let plain: String = text.replace("\\|", "|").chars().filter(|letter| !['`', '*'].contains(letter)).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest fixed part of each message of a file.
fn messages(source: &Source) -> Vec<String> {
    if source.path.contains("/tests") || SELF_EXPLAINING.iter().any(|path| source.path.starts_with(path)) {
        return Vec::new();
    }
    let literals = literals(without_tests(&source.text)).into_iter();
    let shown = literals.filter(|literal| !HINTS.iter().any(|hint| literal.before.ends_with(hint)));
    let long = shown.filter_map(|literal| {
        let least = if ERRORS.iter().any(|error| literal.before.ends_with(error)) { 2 } else { 3 };
        let part = longest_part(&literal.text);
        let is_sql = SQL.iter().any(|word| literal.text.trim_start().starts_with(word));
        (words(&part) >= least && !is_sql).then_some(part)
    });
    long.collect()
}

fn without_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]").map_or(text, |(before, _)| before)
}

/// Between placeholders and line feeds, as [`page`] has it, without punctuation at its ends.
fn longest_part(text: &str) -> String {
    let parts = text.split(['{', '\n']).map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let parts = parts.map(|part| page(part).trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned());
    parts.max_by_key(|part| words(part)).unwrap_or_default()
}

fn words(part: &str) -> usize {
    part.split_whitespace().filter(|word| word.contains(|letter: char| letter.is_lowercase())).count()
}

/// The numbers that `Exit::code` gives.
pub(crate) fn exit_codes(failure: &str) -> Vec<String> {
    let lines = code_only(failure);
    let codes = lines.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
    let codes = codes.filter_map(|(_, code)| code.strip_suffix(',')?.parse::<u8>().ok());
    codes.map(|code| code.to_string()).collect()
}

/// The strings that stand right behind one of `markers`, which have no white space.
pub(crate) fn marked(text: &str, markers: &[&str]) -> BTreeSet<String> {
    let literals = literals(without_tests(text)).into_iter();
    literals.filter(|one| markers.iter().any(|marker| one.before.ends_with(marker))).map(|one| one.text).collect()
}

/// Which of `names` the text does not hold between `before` and `after`.
pub(crate) fn missing(
    text: &str,
    names: impl IntoIterator<Item = String>,
    (before, after): (&str, &str),
) -> Vec<String> {
    names.into_iter().filter(|name| !text.contains(&format!("{before}{name}{after}"))).collect()
}

/// Commands and flags that a document names and the program does not have.
pub(crate) fn unknown_words(document: &Source) -> Vec<String> {
    let program = arguments::command();
    let commands: Vec<&str> = program.get_subcommands().map(|command| command.get_name()).collect();
    let flags: Vec<&str> =
        program.get_subcommands().flat_map(|one| one.get_arguments()).filter_map(|arg| arg.get_long()).collect();
    let mut found = Vec::new();
    for word in words_after(&document.text, "avatarMigrate ") {
        if !word.is_empty() && !word.starts_with('-') && !commands.contains(&word) {
            found.push(format!("there is no command `{word}`"));
        }
    }
    for (at, _) in document.text.match_indices("--") {
        let before = document.text.get(..at).and_then(|before| before.chars().next_back());
        let flag = head(document.text.get(at + 2..).unwrap_or_default());
        let known = [&flags[..], &["help", "version"], &FLAGS_OF_OTHERS].iter().any(|list| list.contains(&flag));
        let switched_off = flag.starts_with("no-");
        if before != Some('-') && !flag.is_empty() && !flag.starts_with('-') && !known && !switched_off {
            found.push(format!("there is no flag --{flag}"));
        }
    }
    found
}

/// The words of a file for other programs that are meant for this one: what follows its name, or that of the script which starts it.
pub(crate) fn typed(source: &Source) -> Source {
    let to_its_end = |words: &str| words.split(['`', '#', ';', '|', '&']).next().unwrap_or_default().to_owned();
    let lines = source.text.lines().map(|line| line.replace("avatarMigrate.sbatch ", "avatarMigrate "));
    let typed =
        lines.filter_map(|line| Some(format!("avatarMigrate {}", to_its_end(line.split_once("avatarMigrate ")?.1))));
    Source { path: source.path.clone(), text: typed.collect::<Vec<_>>().join("\n") }
}

/// Variables that a file sets, and keys of a file of settings, that the program does not have.
pub(crate) fn unknown_settings(source: &Source) -> Vec<String> {
    let known: BTreeSet<&str> = catalogue::all().chain([&catalogue::CONFIG]).map(|setting| setting.name).collect();
    let variables = source.text.split("AVATAR_MIGRATE_").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_uppercase() && letter != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_lowercase().replace('_', "-")
    });
    let variables = variables.filter(|name| name != "database-password");
    let is_settings = source.path.ends_with(".toml");
    let keys = source.text.lines().filter(|line| is_settings && !line.starts_with('#'));
    let keys = keys.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
    let unknown = variables.chain(keys).filter(|name| !known.contains(name.as_str()));
    unknown.map(|name| format!("there is no setting {name}")).collect()
}

/// Links of a document to headings and files that are not there. `file` reads a file beside the document.
pub(crate) fn dead_links(document: &Source, file: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let targets = document.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let dead = targets.filter(|target| !target.contains("://")).filter(|target| {
        let (path, anchor) = target.split_once('#').map_or((*target, None), |(path, anchor)| (path, Some(anchor)));
        let text = if path.is_empty() { Some(document.text.clone()) } else { file(path) };
        let Some(text) = text else { return true };
        let mut headings = text.lines().filter(|line| line.starts_with('#')).map(slug);
        anchor.is_some_and(|anchor| !headings.any(|heading| heading == anchor))
    });
    dead.map(|target| format!("the link {target} leads nowhere")).collect()
}

/// A heading as links name it: small letters, no punctuation, a hyphen for each blank.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn words_after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(before).map(move |(at, _)| head(text.get(at + before.len()..).unwrap_or_default()))
}

fn head(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_lowercase() && letter != '-').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
