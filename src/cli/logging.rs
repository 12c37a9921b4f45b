//! Logs: on standard error, above the progress bars.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::config::{Format, Output, Verbosity};
use crate::report::progress::Progress;
use crate::report::text::{printable_json, printable_line};

/// Starts logging as the settings say. Only this program's own words are let through, unless more is asked for: the
/// libraries below it may log requests.
pub(super) fn start(output: Output, progress: Progress) {
    let filter = match output.verbosity {
        Verbosity::Quiet => "avatar_migrate=error",
        Verbosity::Normal => "avatar_migrate=warn",
        Verbosity::Verbose => "avatar_migrate=info",
        Verbosity::Trace => "avatar_migrate=trace",
    };
    let colors = console::colors_enabled_stderr() && output.log_format == Format::Human;
    // Whatever a server or a row has put into an event, it stays one line and steers no terminal.
    let shown = match output.log_format {
        Format::Human => printable_line,
        Format::Json => printable_json,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_span_events(FmtSpan::NONE)
        .with_ansi(colors)
        .with_target(false)
        .with_writer(move || progress.log_writer(shown));
    match output.log_format {
        Format::Human => subscriber.without_time().init(),
        Format::Json => subscriber.json().init(),
    }
}
