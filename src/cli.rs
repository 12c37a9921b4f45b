//! The command line: what is said, what it means, what is printed.

pub mod arguments;
mod confirm;
mod documents;
mod execute;
mod help;
mod hygiene;
mod logging;
mod password;
mod print;
mod signals;

use std::process::ExitCode;

pub use password::ask_password;

use tokio::runtime::{Builder, Runtime};

use crate::config::{self, CheckMode, Command, Config, ConfigError, Format, Method, Settings};
use crate::failure::Exit;
use crate::report::progress::{Progress, ProgressMode};
use crate::report::text::printable;

/// The whole program: arguments in, exit code out.
#[must_use]
pub fn main() -> ExitCode {
    let closed = hygiene::keep_to_itself();
    if let Some(document) = documents::asked(arguments::command, std::env::args_os()) {
        return ExitCode::from(printed(&document.unwrap_or_else(|error| error.exit())).code());
    }
    let exit = match settings() {
        Ok(settings) => run(settings, closed),
        Err(error) => {
            print::config_error(&error);
            Exit::Usage
        }
    };
    ExitCode::from(exit.code())
}

fn printed(document: &documents::Document) -> Exit {
    match documents::print(arguments::command(), document) {
        Ok(()) => Exit::Clean,
        Err(error) => {
            print::failure(&error, &Progress::new(ProgressMode::Quiet, Format::Human));
            Exit::Failed
        }
    }
}

fn settings() -> Result<Settings, ConfigError> {
    // Help, version and usage errors end here, before anything else is begun.
    let arguments = arguments::parse(std::env::args_os()).unwrap_or_else(|error| {
        // The error repeats what it could not read: it is made again from arguments that steer no terminal.
        let tame = std::env::args_os().map(|argument| printable(&argument.to_string_lossy()).into());
        arguments::parse(tame).err().unwrap_or(error).exit()
    });
    let unreadable = |error: std::io::Error| {
        ConfigError::new(format!("the database password could not be read: {error}"))
            .hint("give it with --database-password-file, or in AVATAR_MIGRATE_DATABASE_PASSWORD")
    };
    let arguments = arguments.asking(ask_password).map_err(unreadable)?;
    let directory = std::env::current_dir()
        .map_err(|error| ConfigError::new(format!("the working directory cannot be read: {error}")))?;
    config::load(arguments, std::env::vars_os(), &directory)
}

fn run(settings: Settings, closed: std::io::Result<()>) -> Exit {
    let quiet = settings.output.verbosity == config::Verbosity::Quiet;
    let format = settings.output.log_format;
    let mode = ProgressMode::detect(&console::Term::stderr(), quiet, format);
    let progress = Progress::new(mode, format);
    logging::start(settings.output, progress.clone());
    if settings.password_in_clear {
        tracing::warn!(
            "the password stands in the arguments, where other users of this host can read it: give `-` instead, which asks"
        );
    }
    if let Some(file) = &settings.password_file_open {
        tracing::warn!(
            "other users of this host can read the password file {}: chmod 600",
            printable(&file.display().to_string())
        );
    }
    if let Err(error) = closed {
        tracing::warn!("core dumps could not be turned off, and one would hold the password: {error}");
    }
    match runtime(&settings) {
        Ok(runtime) => runtime.block_on(execute::execute(settings, progress)),
        Err(error) => {
            print::failure(&anyhow::Error::from(error).context("failed to start"), &progress);
            Exit::Failed
        }
    }
}

/// What runs the command. A copy inside S3 is nothing but small requests, and on one thread none of them has to wake another
/// thread: that takes a third less processor. Bodies that pass through here want all cores, and beside long merges and questions
/// the heart-beat has to go on.
fn runtime(settings: &Settings) -> std::io::Result<Runtime> {
    let Config { method, check, .. } = settings.config;
    let inside_s3 = settings.command == Command::Copy && method == Method::Copy && check == CheckMode::Auto;
    let mut builder = if inside_s3 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().build()
}
