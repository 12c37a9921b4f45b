//! A settings file to begin with, made from the catalogue.

use super::catalogue::{self, Group, SHARED};
use super::setting::{Fallback, Setting, Takes};

/// The widest line of a comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Settings of avatarMigrate, which it reads from its working directory as avatarMigrate.toml, or by --config FILE.
# A line that begins with #: is switched off and shows the default, or the kind of value where there is none.
# Flags win over variables (AVATAR_MIGRATE_SOURCE_BUCKET), and these over this file.
# Passwords do not belong here: name a file that only you can read, or set AVATAR_MIGRATE_DATABASE_PASSWORD.

database-url = \"mysql://USER@HOST:3306/SCHEMA\"
";

/// The commands whose settings may as well stand in a file.
const OF_COMMANDS: &[(Group, &str)] =
    &[(catalogue::COPY, "copy"), (catalogue::FINALIZE, "finalize"), (catalogue::REDIRECT, "redirect")];

/// The text of the file. All but the database is switched off, so that it means what an empty file does.
#[must_use]
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    let shared = SHARED.iter().map(|group| (group, group.heading.unwrap_or_default(), true));
    let of_commands = OF_COMMANDS.iter().map(|(group, heading)| (group, *heading, false));
    for (group, heading, all) in shared.chain(of_commands) {
        text += &format!("\n# --- {heading} ---\n");
        text.extend(lasting(group, all).filter(|setting| setting.name != catalogue::DATABASE_URL.name).map(entry));
    }
    text
}

/// Those that say how things are, and not what to do this time: of single commands, the ones with a default that mean the
/// same to each command. A `report` would be written by one and written over by the next.
fn lasting(group: &'static Group, all: bool) -> impl Iterator<Item = &'static Setting> {
    let only = |name: &str| catalogue::all().filter(|setting| setting.name == name).count() == 1;
    group.settings.iter().filter(move |one| all || (one.fallback != Fallback::None && only(one.name)))
}

fn entry(setting: &Setting) -> String {
    let comment: String = wrapped(&said(setting)).iter().map(|line| format!("# {line}\n")).collect();
    format!("\n{comment}#: {} = {}\n", setting.name, value(setting))
}

fn said(setting: &Setting) -> String {
    match setting.fallback {
        Fallback::Described(words) => format!("{}. Default: {words}.", setting.help),
        Fallback::None | Fallback::Value(_) => format!("{}.", setting.help),
    }
}

fn value(setting: &Setting) -> String {
    let text = match setting.fallback {
        Fallback::Value(default) => default,
        Fallback::None | Fallback::Described(_) => setting.value_name,
    };
    match setting.takes {
        Takes::Switch(_) => "false".to_owned(),
        Takes::Count => "0".to_owned(),
        Takes::List => format!("[\"{text}\"]"),
        Takes::Text | Takes::Choice(_) | Takes::Number | Takes::Optional(_) => format!("\"{text}\""),
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut();
        match line {
            Some(line) if line.is_empty() => word.clone_into(line),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH - 2 => {
                *line += " ";
                *line += word;
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file::parse;

    /// The lines that are switched off, switched on.
    fn switched_on(keep: impl Fn(&Setting) -> bool) -> String {
        let lines = example();
        let lines = lines.lines().filter_map(|line| line.strip_prefix("#: "));
        let known = |line: &&str| {
            let name = line.split(" = ").next().unwrap_or_default();
            catalogue::all().any(|setting| setting.name == name && keep(setting))
        };
        lines.filter(known).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn it_is_a_settings_file_as_it_stands_and_with_every_line_switched_on() {
        let file = Path::new("avatarMigrate.toml");
        let layer = parse(&example(), file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{layer:?}").matches("name: \"database-url\"").count(), 1, "{layer:?}");
        let on = switched_on(|_| true);
        assert!(on.lines().count() > 40, "{on}");
        parse(&on, file).unwrap_or_else(|error| panic!("{error}"));
        assert!(example().lines().all(|line| line.chars().count() <= 120));
    }

    /// What it shows as defaults are those of the program.
    #[test]
    fn its_defaults_change_nothing() {
        let loaded = |file: &str| {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::write(directory.path().join("avatarMigrate.toml"), file).expect("a file");
            let arguments = crate::config::Arguments {
                command: crate::config::Command::Finalize,
                flags: crate::config::Layer::default(),
                password: crate::config::PasswordArgument::None,
            };
            let settings = crate::config::load(arguments, [], directory.path());
            format!("{:?}", settings.unwrap_or_else(|error| panic!("{error}")))
        };
        let url = "database-url = \"mysql://u@h/d\"\n";
        let defaults = switched_on(|setting| matches!(setting.fallback, Fallback::Value(_)));
        assert_eq!(loaded(&format!("{url}{defaults}")), loaded(url));
    }
}
