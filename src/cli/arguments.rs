//! From the words on the command line to [`Arguments`]: commands, flags, and the one-line form.
//!
//! Flags are made from the catalogue of settings and stay texts here; [`crate::config::load`] validates them together
//! with the other layers, so that a value is judged alike wherever it stands.

use std::ffi::OsString;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Error, ValueHint};
use secrecy::SecretString;

use super::{documents, help};
use crate::config::catalogue::{self, CONFIG, Group, SHARED};
use crate::config::{Arguments, Command, Layer, Origin, PasswordArgument, Setting, Takes};

/// The name of the program.
pub const PROGRAM: &str = "avatarMigrate";

/// Its version; of a release build with the commit that it was made from.
pub const VERSION: &str = env!("VERSION_AND_COMMIT");

/// The values of the one-line form, and the settings that all but the last one stand for.
const ONE_LINE: [(&str, Option<Setting>); 5] = [
    ("SOURCE_BUCKET", Some(catalogue::SOURCE_BUCKET)),
    ("TARGET_BUCKET", Some(catalogue::TARGET_BUCKET)),
    ("DATABASE_URL", Some(catalogue::DATABASE_URL)),
    ("DATABASE_USERNAME", Some(catalogue::DATABASE_USER)),
    ("DATABASE_PASSWORD", None),
];

/// The commands with the settings that only they have.
const COMMANDS: [(&str, Command, Group); 12] = [
    ("copy", Command::Copy, catalogue::COPY),
    ("verify", Command::Verify, catalogue::VERIFY),
    ("finalize", Command::Finalize, catalogue::FINALIZE),
    ("rollback", Command::Rollback, catalogue::ROLLBACK),
    ("doctor", Command::Doctor, catalogue::DOCTOR),
    ("policy", Command::Policy, catalogue::POLICY),
    ("fence", Command::Fence, catalogue::FENCE),
    ("redirect", Command::Redirect, catalogue::REDIRECT),
    ("resolve", Command::Resolve, catalogue::RESOLVE),
    ("status", Command::Status, catalogue::STATUS),
    ("explain", Command::Explain, catalogue::EXPLAIN),
    ("ledger", Command::Ledger, catalogue::LEDGER),
];

/// What `resolve` and `explain` are told without a flag.
const KEY: &str = "KEY";

/// Reads a command line, the program's name first.
///
/// # Errors
/// What clap wants printed: usage errors (exit code 2), but also help and version (exit code 0). No error quotes a
/// value of the one-line form, as one of them is a password.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, Error> {
    let mut words = arguments.into_iter();
    let program = words.next().unwrap_or_else(|| PROGRAM.into());
    let words: Vec<OsString> = words.collect();
    let Words { flags, values } = Words::split(words.clone());
    let first = values.first().and_then(|value| value.to_str()).unwrap_or_default();
    let is_command = first == "help" || COMMANDS.iter().any(|(name, ..)| *name == first);
    if values.len() == ONE_LINE.len() || (values.len() > 1 && !is_command) {
        let matches = one_line().try_get_matches_from([program].into_iter().chain(flags))?;
        return migrate(&matches, values);
    }
    // The command first, then every flag, wherever it stood: so a repeated one keeps all its values in order.
    let in_order: Vec<OsString> = match values.split_first() {
        Some((command, rest)) if is_command && first != "help" => {
            let rest = if rest.is_empty() { Vec::new() } else { [&["--".into()], rest].concat() };
            [vec![program, command.clone()], flags, rest].concat()
        }
        Some(_) | None => [vec![program], words].concat(),
    };
    let matches = command().try_get_matches_from(in_order)?;
    let known = matches.subcommand().and_then(|(name, matches)| {
        let found = COMMANDS.iter().find(|(known, ..)| *known == name);
        found.map(|(_, command, group)| (*command, *group, matches))
    });
    let Some((command_name, group, matches)) = known else {
        return Err(command().error(ErrorKind::MissingSubcommand, "there is no command"));
    };
    let mut flags = layer([group].iter().chain(SHARED), matches);
    if matches!(command_name, Command::Resolve | Command::Explain)
        && let Some(key) = matches.get_one::<String>(KEY)
        && flags.insert(catalogue::KEY.name, vec![key.clone()], Origin::Argument(KEY)).is_some()
    {
        return Err(command().error(ErrorKind::ArgumentConflict, "KEY and --key both say the same; give one"));
    }
    Ok(Arguments { command: command_name, flags, password: PasswordArgument::None })
}

/// The program with its commands, for parsing, help and completions.
#[must_use]
pub fn command() -> clap::Command {
    let commands = COMMANDS.map(|(name, command, group)| {
        let (about, examples) = help::of_command(command);
        let with_flags = with_flags(clap::Command::new(name), [group].iter().chain(SHARED));
        let with_flags = match command {
            Command::Resolve => with_flags.arg(Arg::new(KEY).help("The source's key, or a path as a row holds it")),
            Command::Explain => {
                with_flags.arg(Arg::new(KEY).help("An object's key in either bucket, or a path as a row holds it"))
            }
            Command::Ledger => {
                let action = Arg::new("ACTION").required(true).value_parser(["prune"]);
                with_flags.arg(action.help("prune: forget what old runs have left"))
            }
            Command::Copy
            | Command::Verify
            | Command::Finalize
            | Command::Rollback
            | Command::Doctor
            | Command::Policy
            | Command::Fence
            | Command::Redirect
            | Command::Status
            | Command::Migrate => with_flags,
        };
        with_flags.about(about).after_help(help::after_command(examples))
    });
    with_flags(clap::Command::new(PROGRAM), SHARED)
        .about(help::ABOUT)
        .override_usage(help::USAGE)
        .after_help(help::after_program())
        .version(VERSION)
        .propagate_version(true)
        .arg_required_else_help(true)
        .subcommand_required(true)
        .max_term_width(help::WIDTH)
        .styles(help::STYLES)
        .subcommands(commands)
        .subcommands(documents::commands())
}

/// The one-line form. Its five values are no arguments of clap, which would quote them in errors.
fn one_line() -> clap::Command {
    with_flags(clap::Command::new(PROGRAM), catalogue::OF_ONE_LINE.iter().chain(SHARED))
        .about(help::ABOUT)
        .override_usage(help::USAGE_ONE_LINE)
        .after_help(help::after_program())
        .version(VERSION)
        .max_term_width(help::WIDTH)
        .styles(help::STYLES)
}

fn with_flags<'a>(command: clap::Command, groups: impl IntoIterator<Item = &'a Group>) -> clap::Command {
    let mut command = command.arg(flag(&CONFIG));
    let mut seen = Vec::new();
    for group in groups {
        for setting in group.settings {
            // The one-line form has the settings of several commands, and two of those may share one.
            if seen.contains(&setting.name) {
                continue;
            }
            seen.push(setting.name);
            command = command.arg(flag(setting).help_heading(group.heading));
            if let Takes::Switch(off) = setting.takes {
                let off = Arg::new(off).long(off).overrides_with(setting.name);
                command = command.arg(off.action(ArgAction::SetTrue).hide(true));
            }
        }
    }
    command
}

fn flag(setting: &Setting) -> Arg {
    let arg = Arg::new(setting.name).long(setting.name).help(setting.short_help()).long_help(setting.long_help());
    let arg = match setting.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    match setting.takes {
        Takes::Switch(_) => arg.action(ArgAction::SetTrue),
        Takes::Count => arg.action(ArgAction::Count),
        Takes::List => arg.action(ArgAction::Append).value_name(setting.value_name),
        // The name of the value holds the words already.
        Takes::Choice(words) => {
            arg.value_name(setting.value_name).value_parser(AnyWord(words)).hide_possible_values(true)
        }
        Takes::Optional(alone) => arg.value_name(setting.value_name).num_args(0..=1).default_missing_value(alone),
        Takes::Text | Takes::Number => arg.value_name(setting.value_name).value_hint(match setting.value_name {
            "FILE" => ValueHint::FilePath,
            "DIR" => ValueHint::DirPath,
            _ => ValueHint::Other,
        }),
    }
}

/// Tells help and completions the words, but takes any: the settings of all layers are judged in one place.
#[derive(Clone)]
struct AnyWord(&'static [&'static str]);

impl TypedValueParser for AnyWord {
    type Value = String;

    fn parse_ref(&self, cmd: &clap::Command, arg: Option<&Arg>, value: &std::ffi::OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(cmd, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// A command line with its flags (and their values) apart from all other words.
#[derive(Default)]
struct Words {
    flags: Vec<OsString>,
    values: Vec<OsString>,
}

impl Words {
    fn split(words: Vec<OsString>) -> Self {
        // The flags of all commands, as which one it is shows only afterwards.
        let known = with_flags(clap::Command::new(PROGRAM), catalogue::OF_COMMANDS.iter().chain(SHARED));
        let mut split = Self::default();
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let text = word.to_str().unwrap_or_default();
            if text == "--" {
                split.values.extend(words.by_ref());
            } else if text == "-" || !text.starts_with('-') || split.is_password(text, &known) {
                split.values.push(word);
            } else {
                // Like clap, which takes no flag for the missing value of another one.
                let value = words.next_if(|next| takes_value(text, &known) && !looks_like_a_flag(next));
                split.flags.push(word);
                split.flags.extend(value);
            }
        }
        split
    }

    /// Whether a word that begins with a dash stands where the password belongs and is no flag.
    fn is_password(&self, text: &str, known: &clap::Command) -> bool {
        self.values.len() + 1 == ONE_LINE.len() && !is_flag(text, known)
    }
}

fn is_flag(text: &str, known: &clap::Command) -> bool {
    if ["--help", "-h", "--version", "-V"].contains(&text) {
        return true;
    }
    match text.strip_prefix("--") {
        Some(long) => {
            let long = long.split('=').next().unwrap_or_default();
            known.get_arguments().any(|arg| arg.get_long() == Some(long))
        }
        None => text.chars().skip(1).all(|short| known.get_arguments().any(|arg| arg.get_short() == Some(short))),
    }
}

fn looks_like_a_flag(word: &OsString) -> bool {
    word.len() > 1 && word.to_str().is_some_and(|text| text.starts_with('-'))
}

fn takes_value(text: &str, known: &clap::Command) -> bool {
    let Some(long) = text.strip_prefix("--") else { return false };
    known.get_arguments().any(|arg| arg.get_long() == Some(long) && arg.get_action().takes_values())
}

fn migrate(matches: &ArgMatches, values: Vec<OsString>) -> Result<Arguments, Error> {
    let names = ONE_LINE.map(|(name, _)| name).join(" ");
    let usage = |kind, message: String| Err(one_line().error(kind, message));
    if values.len() != ONE_LINE.len() {
        let (given, first) = (values.len(), values.first().map(|value| value.to_string_lossy()).unwrap_or_default());
        let message = format!("`{first}` is no command, and the one-line form takes 5 values, not {given}: {names}");
        return usage(ErrorKind::WrongNumberOfValues, message);
    }
    let mut flags = layer(catalogue::OF_ONE_LINE.iter().chain(SHARED), matches);
    let mut password = PasswordArgument::None;
    for ((name, setting), value) in ONE_LINE.into_iter().zip(values) {
        let Ok(value) = value.into_string() else {
            return usage(ErrorKind::InvalidUtf8, format!("{name} is not valid UTF-8"));
        };
        password = match setting {
            Some(setting) => {
                if flags.insert(setting.name, vec![value], Origin::Argument(name)).is_some() {
                    let message = format!("{name} and --{} both say the same; give one", setting.name);
                    return usage(ErrorKind::ArgumentConflict, message);
                }
                continue;
            }
            None if value == "-" => PasswordArgument::Ask,
            None => PasswordArgument::Clear(SecretString::from(value)),
        };
    }
    Ok(Arguments { command: Command::Migrate, flags, password })
}

/// What clap found, as texts.
fn layer<'a>(groups: impl Iterator<Item = &'a Group>, matches: &ArgMatches) -> Layer {
    let mut layer = Layer::default();
    for setting in groups.flat_map(|group| group.settings).chain([&CONFIG]) {
        let values: Vec<String> = match setting.takes {
            Takes::Switch(_) if matches.get_flag(setting.name) => vec![true.to_string()],
            Takes::Switch(off) if matches.get_flag(off) => vec![false.to_string()],
            Takes::Count if matches.get_count(setting.name) > 0 => vec![matches.get_count(setting.name).to_string()],
            Takes::Switch(_) | Takes::Count => continue,
            Takes::Text | Takes::Number | Takes::Optional(_) | Takes::List | Takes::Choice(_) => {
                matches.get_many(setting.name).map(|values| values.cloned().collect()).unwrap_or_default()
            }
        };
        if !values.is_empty() {
            layer.insert(setting.name, values, Origin::Flag(setting.name.to_owned()));
        }
    }
    layer
}

#[cfg(test)]
mod tests;
