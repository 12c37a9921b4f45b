//! The rules, each a function from a file to what is wrong with it.

use crate::code::code_only;

/// The longest file, in lines.
const FILE_LINES_MAX: usize = 400;
/// The longest function, in lines with its braces.
const FUNCTION_LINES_MAX: usize = 70;

/// A crate and the rooms that may name it, as beginnings of paths.
const CRATES: [(&str, &[&str]); 5] = [
    ("aws_sdk_s3", &["src/store"]),
    ("aws_sdk_sts", &["src/store"]),
    ("aws_config", &["src/store"]),
    ("sqlx", &["src/database"]),
    ("clap", &["src/cli", "src/config"]),
];

/// Words that mean work left undone; put together here so that this file does not hold them itself.
const LEFTOVERS: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("dbg", "!(")];

/// A file: its path from the root, and its text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The rooms in the order of `src/lib.rs`, which is the law: each may use those above it.
pub(crate) fn room_order(lib: &str) -> Vec<String> {
    let code = code_only(lib);
    let names = code.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("pub ").unwrap_or(line.trim());
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    names.map(str::to_owned).collect()
}

/// Uses of rooms that stand below this file's own, and ways around the rule.
pub(crate) fn upward_uses(source: &Source, order: &[String]) -> Vec<String> {
    let Some(room) = room_of(&source.path) else { return Vec::new() };
    let place = |room: &str| order.iter().position(|known| known == room);
    let Some(own) = place(room) else { return vec![format!("`{room}` does not stand in src/lib.rs")] };
    let code = code_only(&source.text);
    let mut found: Vec<String> = used_rooms(&code)
        .filter(|used| place(used).is_some_and(|used| used > own))
        .map(|used| format!("`{room}` stands above `{used}` in src/lib.rs and must not use it"))
        .collect();
    let top = source.path == format!("src/{room}.rs");
    for other in order {
        let declared = code.contains(&format!("mod {other};"));
        if top && !declared && words_after(&code, "super::").any(|word| word == *other) {
            found.push(format!("`super::{other}` hides the use of a room: write `crate::{other}`"));
        }
    }
    if code.contains("super::super::") {
        found.push("`super::super::` hides which room is used: write `crate::…`".to_owned());
    }
    found
}

/// Crates named outside their room.
pub(crate) fn foreign_crates(source: &Source) -> Vec<String> {
    let code = code_only(&source.text);
    let barred = CRATES.iter().filter(|(name, rooms)| {
        !rooms.iter().any(|room| source.path.starts_with(room)) && words(&code).any(|word| word == *name)
    });
    barred.map(|(name, rooms)| format!("`{name}` may be named only in {}", rooms.join(" and "))).collect()
}

/// Objects marked as verified by anyone but the checker; the database reads the state back.
pub(crate) fn unchecked_verified(source: &Source) -> Vec<String> {
    if source.path.starts_with("src/check") || source.path.starts_with("src/database") {
        return Vec::new();
    }
    let code = code_only(&source.text).split_whitespace().collect::<Vec<_>>().join(" ");
    let ways = ["state: ObjectState::Verified", "state = ObjectState::Verified", "ObjectState::{", "ObjectState::*"];
    let found = ways.iter().filter(|way| code.contains(**way));
    found.map(|way| format!("`{way}`: only src/check.rs says that an object is verified")).collect()
}

/// A file that is too long.
pub(crate) fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX { vec![format!("{lines} lines, more than {FILE_LINES_MAX}")] } else { Vec::new() }
}

/// Functions that are too long.
pub(crate) fn long_functions(source: &Source) -> Vec<String> {
    let code = code_only(&source.text);
    let starts = code.match_indices("fn ").filter(|(at, _)| {
        let before = code.get(..*at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    });
    let long = starts.filter_map(|(at, _)| {
        let rest = code.get(at + 3..)?;
        let name = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
        let lines = body_lines(rest)?;
        (lines > FUNCTION_LINES_MAX).then(|| format!("`{name}` has {lines} lines, more than {FUNCTION_LINES_MAX}"))
    });
    long.collect()
}

/// A file that does not begin by saying what it is.
pub(crate) fn missing_head(source: &Source) -> Vec<String> {
    let said =
        source.text.strip_prefix("//! ").is_some_and(|rest| rest.lines().next().is_some_and(|line| line.len() > 10));
    if said { Vec::new() } else { vec!["does not begin with a `//!` sentence".to_owned()] }
}

/// Notes to oneself.
pub(crate) fn leftovers(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let found = lines.flat_map(|(number, line)| {
        LEFTOVERS.iter().filter(|word| line.contains(**word)).map(move |word| format!("line {}: {word}", number + 1))
    });
    found.collect()
}

/// A statement that does not say what it is for, what it locks and what its row count means. Tables say the first.
pub(crate) fn statement_head(source: &Source) -> Vec<String> {
    let head: Vec<&str> = source.text.lines().take_while(|line| line.starts_with("--")).collect();
    let head = head.join("\n");
    let mut found = Vec::new();
    if !head.starts_with("-- Purpose: ") {
        found.push("does not begin with `-- Purpose: `".to_owned());
    }
    let table = source.path.starts_with("sql/ledger/");
    for word in ["Locks: ", "Rows: "] {
        if !table && !head.contains(word) {
            found.push(format!("its head does not say `{word}`"));
        }
    }
    found
}

/// A statement that no file of the database room includes.
pub(crate) fn unused_statement(statement: &Source, users: &[Source]) -> Vec<String> {
    let name = statement.path.trim_start_matches("sql/");
    let ways = [format!("statement!(\"{name}\")"), format!("/sql/{name}\")")];
    let used = users.iter().any(|user| ways.iter().any(|way| user.text.contains(way)));
    if used { Vec::new() } else { vec!["no file of src/database includes it".to_owned()] }
}

/// `src/copy.rs` and `src/copy/look.rs` are of the room `copy`; `lib.rs` and `main.rs` are of none.
fn room_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let room = inside.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&room)).then_some(room)
}

/// Every `x` of `crate::x` and of `crate::{x::…, y}`.
fn used_rooms(code: &str) -> impl Iterator<Item = &str> {
    let single = words_after(code, "crate::");
    let grouped = code.match_indices("crate::{").flat_map(|(at, opening)| {
        let group = code.get(at + opening.len()..).unwrap_or_default();
        heads_of_group(group)
    });
    single.chain(grouped)
}

/// The first names of a `use` group, whose text begins behind the brace.
fn heads_of_group(group: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut heads = Vec::new();
    let mut begin = 0;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.extend(group.get(begin..at).and_then(|item| words(item).next()));
                begin = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
}

fn words_after<'a>(code: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(before).filter_map(move |(at, _)| {
        let rest = code.get(at + before.len()..)?;
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
    })
}

/// The lines from the name to the brace that closes the body; `None` for a declaration without one.
fn body_lines(code: &str) -> Option<usize> {
    let (mut brackets, mut braces, mut lines) = (0_usize, 0_usize, 1);
    for letter in code.chars() {
        match letter {
            '\n' => lines += 1,
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if brackets == 0 && braces == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(lines),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
