//! What a run has done so far as metrics, in the text format of OpenMetrics 1.0, which Prometheus reads.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::progress::PhaseFigures;
use crate::store::Requests;

/// What the text is called (OpenMetrics 1.0, "Protocol Negotiation").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A run at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Requests to S3, every attempt.
    pub requests: Requests,
    /// Answers of S3 that asked for fewer requests.
    pub throttled: u64,
    /// How many requests may be under way at once.
    pub concurrency: u64,
    /// Whether the brake holds the run.
    pub paused: bool,
    /// The phases so far.
    pub phases: Vec<PhaseFigures>,
}

type Labels = Vec<(&'static str, String)>;

/// The text.
///
/// # Errors
/// If it cannot be written, which cannot happen in memory.
pub fn metrics_text(figures: &Figures) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("avatar_migrate");
    let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The program", version);
    requests(&mut registry, figures);
    registry.register("concurrency", "Requests to S3 that may be under way at once", gauge(figures.concurrency));
    registry.register("paused", "Whether the run is held up just now", gauge(u64::from(figures.paused)));
    phases(&mut registry, &figures.phases);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn requests(registry: &mut Registry, figures: &Figures) {
    let Requests { list, head, get, put, copy, delete } = figures.requests;
    let requests: Family<Labels, Counter> = Family::default();
    for (operation, count) in
        [("list", list), ("head", head), ("get", get), ("put", put), ("copy", copy), ("delete", delete)]
    {
        requests.get_or_create(&vec![("operation", operation.to_owned())]).inc_by(count);
    }
    registry.register("s3_requests", "Requests sent to S3, every attempt", requests);
    let throttled: Counter = Counter::default();
    throttled.inc_by(figures.throttled);
    registry.register("s3_throttled", "Answers of S3 that asked for fewer requests", throttled);
}

fn phases(registry: &mut Registry, phases: &[PhaseFigures]) {
    let done: Family<Labels, Counter> = Family::default();
    let bytes: Family<Labels, Counter> = Family::default();
    let seconds: Family<Labels, Counter<f64, AtomicU64>> = Family::default();
    let (total, running): (Family<Labels, Gauge>, Family<Labels, Gauge>) = (Family::default(), Family::default());
    for phase in phases {
        let labels = vec![("phase", phase.name.clone()), ("unit", phase.unit.clone())];
        done.get_or_create(&labels).inc_by(phase.done);
        bytes.get_or_create(&labels).inc_by(phase.bytes);
        seconds.get_or_create(&labels).inc_by(phase.elapsed.as_secs_f64());
        running.get_or_create(&labels).set(i64::from(phase.running));
        if let Some(count) = phase.total {
            total.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    registry.register("phase_done", "What the phases have done, by what they count", done);
    registry.register_with_unit("phase_moved", "What the phases have moved", Unit::Bytes, bytes);
    registry.register_with_unit("phase", "How long the phases took", Unit::Seconds, seconds);
    registry.register("phase_planned", "How much the running phase has to do, where that is known", total);
    registry.register("phase_running", "Whether the phase runs just now", running);
}

fn gauge(value: u64) -> Gauge<i64, AtomicI64> {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_figure_has_its_line() {
        let copy = PhaseFigures {
            name: "copy".to_owned(),
            unit: "objects".to_owned(),
            done: 12,
            total: Some(20),
            bytes: 4096,
            elapsed: Duration::from_millis(1500),
            running: true,
        };
        let requests = Requests { copy: 12, list: 2, ..Requests::default() };
        let figures = Figures { requests, throttled: 1, concurrency: 64, paused: true, phases: vec![copy] };
        let text = metrics_text(&figures).expect("a text");
        for line in [
            "avatar_migrate_s3_requests_total{operation=\"copy\"} 12",
            "avatar_migrate_s3_requests_total{operation=\"delete\"} 0",
            "avatar_migrate_s3_throttled_total 1",
            "avatar_migrate_concurrency 64",
            "avatar_migrate_paused 1",
            "avatar_migrate_phase_done_total{phase=\"copy\",unit=\"objects\"} 12",
            "avatar_migrate_phase_moved_bytes_total{phase=\"copy\",unit=\"objects\"} 4096",
            "avatar_migrate_phase_seconds_total{phase=\"copy\",unit=\"objects\"} 1.5",
            "avatar_migrate_phase_planned{phase=\"copy\",unit=\"objects\"} 20",
            "avatar_migrate_phase_running{phase=\"copy\",unit=\"objects\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
