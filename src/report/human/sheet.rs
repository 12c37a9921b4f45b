//! The layout that all closing summaries share.

use std::fmt::Display;

use console::Style;
use indicatif::HumanCount;

use super::Paint;
use crate::report::summary::Requests;
use crate::report::text::{counted, printable};

/// How the verdict is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Tone {
    Good,
    Warning,
    Bad,
}

/// What stands in the way, how often, and what to do about it.
pub(in crate::report) struct Problem {
    pub(in crate::report) count: u64,
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(in crate::report) advice: &'static str,
}

/// A number and its name; those that do not inform when zero are left out.
pub(in crate::report) struct Figure {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) value: String,
}

/// The text as it grows.
pub(super) struct Sheet {
    paint: Paint,
    text: String,
}

impl Figure {
    /// Shown always.
    pub(super) fn always(name: &'static str, count: u64) -> Option<Self> {
        Some(Self { name, value: HumanCount(count).to_string() })
    }

    /// Left out when zero.
    pub(super) fn some(name: &'static str, count: u64) -> Option<Self> {
        Self::always(name, count).filter(|_| count > 0)
    }

    /// With a unit of its own.
    pub(super) fn of(name: &'static str, value: impl Display) -> Option<Self> {
        Some(Self { name, value: value.to_string() })
    }
}

impl Sheet {
    /// Begins with the verdict: a word in capitals, then a sentence.
    pub(super) fn new(paint: Paint, tone: Tone, word: &str, sentence: &str) -> Self {
        let style = match tone {
            Tone::Good => Style::new().green().bold(),
            Tone::Warning => Style::new().yellow().bold(),
            Tone::Bad => Style::new().red().bold(),
        };
        let mut sheet = Self { paint, text: String::new() };
        let word = sheet.painted(&style, word);
        sheet.line(&format!("{word}: {sentence}"));
        sheet
    }

    /// A table of numbers, aligned at their last digit.
    pub(super) fn figures(&mut self, figures: impl IntoIterator<Item = Option<Figure>>) {
        let figures: Vec<Figure> = figures.into_iter().flatten().collect();
        let names = figures.iter().map(|figure| figure.name.len()).max().unwrap_or_default();
        let values = figures.iter().map(|figure| figure.value.len()).max().unwrap_or_default();
        self.line("");
        for Figure { name, value } in figures {
            self.line(&format!("  {name:<names$}  {value:>values$}"));
        }
    }

    /// Facts that are words. An empty one is left out.
    pub(super) fn facts(&mut self, facts: &[(&str, String)]) {
        let facts: Vec<_> = facts.iter().filter(|(_, value)| !value.is_empty()).collect();
        let names = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        self.line("");
        for (name, value) in facts {
            self.line(&format!("  {name:<names$}  {value}"));
        }
    }

    /// Why, and what to do, for every problem that there is. Nothing if there is none.
    pub(super) fn problems(&mut self, title: &str, problems: &[Problem]) {
        let problems: Vec<_> = problems.iter().filter(|problem| problem.count > 0).collect();
        if problems.is_empty() {
            return;
        }
        let names: Vec<String> = problems.iter().map(|problem| problem.name()).collect();
        let width = names.iter().map(String::len).max().unwrap_or_default();
        self.heading(title);
        for (problem, name) in problems.iter().zip(names) {
            self.line(&format!("  {name:<width$}  {}", problem.advice));
        }
    }

    /// Sentences, one a line. Nothing if there is none.
    pub(super) fn sentences(&mut self, title: &str, sentences: &[String]) {
        if !sentences.is_empty() {
            self.heading(title);
            for sentence in sentences {
                self.line(&format!("  {}", printable(sentence)));
            }
        }
    }

    /// What to type next.
    pub(super) fn next(&mut self, command: &str) {
        let command = self.painted(&Style::new().cyan(), command);
        self.line("");
        self.line(&format!("Next: {command}"));
    }

    /// The finished text, with a line feed at its end.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn heading(&mut self, title: &str) {
        let title = self.painted(&Style::new().bold(), title);
        self.line("");
        self.line(&title);
    }

    fn painted(&self, style: &Style, text: &str) -> String {
        style.clone().force_styling(matches!(self.paint, Paint::Colored)).apply_to(text).to_string()
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

impl Problem {
    /// `3 legacy rows`.
    pub(in crate::report) fn name(&self) -> String {
        counted(self.count, self.one, self.many)
    }
}

/// `12 list, 3 head`: the kinds that were used.
pub(in crate::report) fn requests(requests: Requests) -> String {
    let Requests { list, head, get, put, copy, delete } = requests;
    let kinds = [("list", list), ("head", head), ("get", get), ("put", put), ("copy", copy), ("delete", delete)];
    let used = kinds.into_iter().filter(|&(_, count)| count > 0);
    used.map(|(kind, count)| format!("{} {kind}", HumanCount(count))).collect::<Vec<_>>().join(", ")
}

/// Names as one line.
pub(super) fn names(names: &[String]) -> String {
    names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ")
}
