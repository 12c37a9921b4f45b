//! One setting: the flag, the variable and the key that have its name, what it takes, and its default.

/// What every variable of the program begins with.
pub const VARIABLE_PREFIX: &str = "AVATAR_MIGRATE_";

/// How much fits on a line beside the indent of the help.
const HELP_WIDTH: usize = 88;

/// A setting. It exists once, in the catalogue; flags, variables, keys, defaults and help are all made from it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key.
    pub name: &'static str,
    /// The letter of the short flag.
    pub short: Option<char>,
    /// What it takes.
    pub takes: Takes,
    /// What the value is called in the help.
    pub value_name: &'static str,
    /// What holds when it is given nowhere.
    pub fallback: Fallback,
    /// The help, without default and variable.
    pub help: &'static str,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One text.
    Text,
    /// A number, or a word or a number with a unit.
    Number,
    /// The same, or this if the flag stands alone.
    Optional(&'static str),
    /// Several texts: the flag repeated, commas in the variable, an array in the file.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// On or off; with the flag that turns it off, as a flag must win over a file or variable that turns it on.
    Switch(&'static str),
    /// How often the flag stands there.
    Count,
}

/// What holds when a setting is given nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    None,
    /// This value.
    Value(&'static str),
    /// What these words say.
    Described(&'static str),
}

impl Setting {
    /// A setting without help and default.
    #[must_use]
    pub const fn new(name: &'static str, takes: Takes, value_name: &'static str) -> Self {
        Self { name, short: None, takes, value_name, fallback: Fallback::None, help: "" }
    }

    /// The same with what the help says.
    #[must_use]
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same with a short flag.
    #[must_use]
    pub const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    /// The same with a default value.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self { fallback: Fallback::Value(value), ..self }
    }

    /// The same with a default that words describe.
    #[must_use]
    pub const fn described(self, words: &'static str) -> Self {
        Self { fallback: Fallback::Described(words), ..self }
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('-', "_").to_ascii_uppercase())
    }

    /// The help with the default.
    #[must_use]
    pub fn short_help(&self) -> String {
        match self.fallback {
            Fallback::None => self.help.to_owned(),
            Fallback::Value(default) | Fallback::Described(default) => format!("{} [default: {default}]", self.help),
        }
    }

    /// The help with the default and the variable.
    #[must_use]
    pub fn long_help(&self) -> String {
        let variable = format!("[env: {}]", self.variable());
        let default = match self.fallback {
            Fallback::None => return format!("{}\n{variable}", self.help),
            Fallback::Value(default) | Fallback::Described(default) => format!("[default: {default}]"),
        };
        let gap = if default.len() + variable.len() < HELP_WIDTH { ' ' } else { '\n' };
        format!("{}\n{default}{gap}{variable}", self.help)
    }
}
