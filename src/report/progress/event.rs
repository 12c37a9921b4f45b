//! What is said as JSON: one object a line, in the form that `tracing_subscriber` gives to the events of the log.

use serde::Serialize;

use crate::report::text::{printable_json, utc_now};

/// What an event tells.
#[derive(Debug, Default, Serialize)]
pub struct Fields<'a> {
    /// The line that a person would read.
    pub message: &'a str,
    /// How far a phase is.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Standing<'a>>,
    /// Why something was refused, a sentence each.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub reasons: &'a [String],
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'a str>,
}

/// How far a phase is.
#[derive(Debug, Serialize)]
pub struct Standing<'a> {
    pub(super) phase: &'a str,
    pub(super) done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    pub(super) unit: &'a str,
    /// Only where some were moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
    /// Since it began, to the millisecond.
    pub(super) seconds: f64,
    /// Only in the line that closes it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) ended: bool,
}

#[derive(Serialize)]
struct Event<'a> {
    timestamp: String,
    level: &'a str,
    fields: &'a Fields<'a>,
}

/// The line, without its end. `level` is a word of `tracing`, such as `INFO`.
pub(super) fn line(level: &str, fields: &Fields<'_>) -> String {
    let event = serde_json::to_string(&Event { timestamp: utc_now(), level, fields });
    event.map(|event| printable_json(&event)).unwrap_or_default()
}
