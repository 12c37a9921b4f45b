//! What proves each promise and each hazard's answer: `docs/promises.toml` names the tests, `docs/deep.json` holds the figures of
//! the last `make deep`, and the tables in README.md and docs/hazards.md are made from both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

/// In README.md the table stands between these lines.
const BEGIN: &str = "<!-- This table is written by `UPDATE_GOLDEN=1 cargo test --test tidy`, from docs/promises.toml and docs/deep.json. -->\n";
const END: &str = "<!-- End of the table. -->\n";
/// Instead of a test's name: the file has a documentation test that must not compile.
const MUST_NOT_COMPILE: &str = "compile_fail";

/// What `docs/promises.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promises {
    promise: Vec<Promise>,
    hazard: Vec<Hazard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promise {
    name: String,
    tests: Vec<Named>,
    /// Sentences with `{suite.figure}` in them.
    #[serde(default)]
    figures: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hazard {
    room: String,
    what: String,
    answer: String,
    tests: Vec<Named>,
}

/// A test as `file: function`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Named {
    file: String,
    function: String,
}

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (file, function) = text.split_once(": ").ok_or(format!("`{text}` is not `file: function`"))?;
        Ok(Self { file: file.to_owned(), function: function.to_owned() })
    }
}

impl Named {
    /// A link whose text is the sentence that the function's name is. `up` leads to the root.
    fn link(&self, up: &str) -> String {
        let words = if self.function == MUST_NOT_COMPILE {
            "without its evidence the step does not compile"
        } else {
            &self.function
        };
        format!("[{}]({up}{})", words.replace('_', " "), self.file)
    }

    fn exists(&self, root: &Path) -> bool {
        let text = std::fs::read_to_string(root.join(&self.file)).unwrap_or_default();
        if self.function == MUST_NOT_COMPILE {
            return text.contains("```compile_fail");
        }
        let lines: Vec<&str> = text.lines().collect();
        let found = lines.iter().position(|line| line.contains(&format!("fn {}(", self.function)));
        let attributes = |line: &&&str| line.trim_start().starts_with("#[");
        found.is_some_and(|at| lines.iter().take(at).rev().take_while(attributes).any(|line| line.contains("test")))
    }
}

/// What `docs/deep.json` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deep {
    cores: u64,
    suites: BTreeMap<String, Suite>,
}

/// The last run of one suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    date: String,
    commit: String,
    seconds: u64,
    figures: BTreeMap<String, u64>,
}

impl Deep {
    /// A sentence with its figures in place.
    fn fill(&self, sentence: &str) -> String {
        let mut filled = String::new();
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').unwrap_or_else(|| panic!("a brace stays open in: {sentence}"));
            filled.push_str(before);
            filled.push_str(&thousands(self.figure(name)));
            rest = behind;
        }
        filled + rest
    }

    /// When the figures were taken: the newest day, all commits, and the minutes of all suites together.
    fn taken(&self) -> String {
        let last = self.suites.values().map(|suite| suite.date.as_str()).max().unwrap_or_default();
        let commits: BTreeSet<&str> = self.suites.values().map(|suite| suite.commit.as_str()).collect();
        let commits = commits.into_iter().collect::<Vec<_>>().join(" and ");
        let minutes = self.suites.values().map(|suite| suite.seconds).sum::<u64>().div_ceil(60);
        format!("{last}, at {commits}, on {} cores in {minutes} minutes", self.cores)
    }

    fn figure(&self, name: &str) -> u64 {
        let found = name.split_once('.').and_then(|(suite, figure)| self.suites.get(suite)?.figures.get(figure));
        *found.unwrap_or_else(|| panic!("docs/deep.json has no figure {name}; `make deep` writes it"))
    }
}

impl Promises {
    pub(crate) fn read(root: &Path) -> Self {
        toml::from_str(&std::fs::read_to_string(root.join("docs/promises.toml")).expect("docs/promises.toml"))
            .expect("docs/promises.toml as it should be")
    }

    /// Tests that are named and are not there.
    pub(crate) fn missing_tests(&self, root: &Path) -> Vec<String> {
        let promised = self.promise.iter().flat_map(|promise| &promise.tests);
        let hazards = self.hazard.iter().flat_map(|hazard| &hazard.tests);
        let missing = promised.chain(hazards).filter(|named| !named.exists(root));
        missing.map(|named| format!("{}: there is no test {}", named.file, named.function)).collect()
    }

    /// README's table.
    pub(crate) fn table(&self, deep: &Deep) -> String {
        let mut table = "| promise | tests that fail if it breaks | the last `make deep` |\n|---|---|---|\n".to_owned();
        for (number, promise) in self.promise.iter().enumerate() {
            let tests: Vec<String> = promise.tests.iter().map(|named| named.link("")).collect();
            let figures: Vec<String> = promise.figures.iter().map(|sentence| deep.fill(sentence)).collect();
            let row = format!("{}. {} | {} | {}", number + 1, promise.name, tests.join(" · "), figures.join("; "));
            table.push_str(&format!("| {row} |\n"));
        }
        let more = "All figures are in [docs/deep.json](docs/deep.json), what each hazard's test is in [docs/hazards.md](docs/hazards.md).";
        table + &format!("\nTaken {}. {more}\n", deep.taken())
    }

    /// The page of hazards.
    pub(crate) fn page(&self) -> String {
        let mut page =
            "# What can go wrong, and the test that shows the answer\n\nWritten by `UPDATE_GOLDEN=1 cargo test --test \
                        tidy` from docs/promises.toml; a test fails where a named test does not exist.\n"
                .to_owned();
        let mut room = "";
        for hazard in &self.hazard {
            if hazard.room != room {
                room = &hazard.room;
                page.push_str(&format!("\n## {room}\n\n| hazard | answer | tests |\n|---|---|---|\n"));
            }
            let tests: Vec<String> = hazard.tests.iter().map(|named| named.link("../")).collect();
            page.push_str(&format!("| {} | {} | {} |\n", hazard.what, hazard.answer, tests.join(" · ")));
        }
        page
    }
}

impl Deep {
    pub(crate) fn read(root: &Path) -> Self {
        serde_json::from_str(&std::fs::read_to_string(root.join("docs/deep.json")).expect("docs/deep.json"))
            .expect("docs/deep.json as `make deep` writes it")
    }
}

/// README with another table in its place.
pub(crate) fn with_table(readme: &str, table: &str) -> String {
    let (before, rest) = readme.split_once(BEGIN).expect("README.md marks where the table of promises begins");
    let (_, after) = rest.split_once(END).expect("README.md marks where the table of promises ends");
    format!("{before}{BEGIN}{table}{END}{after}")
}

/// 1234567 as 1,234,567.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let comma = |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(at, digit)| format!("{}{digit}", comma(at))).collect()
}

#[test]
fn figures_stand_in_their_sentences() {
    let figures = BTreeMap::from([("reads".to_owned(), 1_234_567)]);
    let suite = Suite { date: "2026-11-23".to_owned(), commit: "abc".to_owned(), seconds: 61, figures };
    let suites = BTreeMap::from([("kills".to_owned(), suite)]);
    let deep = Deep { cores: 2, suites };
    assert_eq!(deep.fill("{kills.reads} reads in all"), "1,234,567 reads in all");
    assert_eq!(deep.taken(), "2026-11-23, at abc, on 2 cores in 2 minutes");
    assert_eq!([thousands(0), thousands(999), thousands(1000)], ["0", "999", "1,000"]);
    assert!(std::panic::catch_unwind(|| deep.fill("{kills.writes} writes")).is_err());
}

#[test]
fn a_test_that_is_not_there_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |function: &str| Named { file: "tests/tidy/promises.rs".to_owned(), function: function.to_owned() };
    assert!(named("a_test_that_is_not_there_is_named").exists(root));
    assert!(!named("thousands").exists(root), "a function that is no test");
    assert!(!named("no_such_test").exists(root));
}
