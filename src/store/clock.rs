//! The clock of the server against this machine's, from the `Date` of its answers: S3 refuses requests that were signed
//! more than 15 minutes away from its own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

/// What the last answer said. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Clock(Arc<AtomicI64>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl Clock {
    /// By how many seconds the server is ahead; `None` before it has said a time.
    pub(super) fn ahead_seconds(&self) -> Option<i64> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds != UNKNOWN).then_some(seconds)
    }

    /// A moment of this machine's clock by that of the server, as far as it is known. An answer that was read late makes the
    /// server seem behind, and the moment earlier than it was.
    pub(super) fn of_server(&self, moment: SystemTime) -> SystemTime {
        let ahead = self.ahead_seconds().unwrap_or_default();
        let shift = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { moment - shift } else { moment + shift }
    }
}

impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(ahead) = context.response().headers().get("date").and_then(|date| ahead(date, SystemTime::now())) {
            self.0.store(ahead, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn ahead(date: &str, now: SystemTime) -> Option<i64> {
    let there = DateTime::from_str(date, DateTimeFormat::HttpDate).ok()?.secs();
    let here = i64::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    Some(there - here)
}

/// No server is so far ahead.
const UNKNOWN: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_compared_with_now() {
        let now = UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        assert_eq!(ahead("Sun, 17 Mar 2030 17:46:40 GMT", now), Some(0));
        assert_eq!(ahead("Sun, 17 Mar 2030 17:56:40 GMT", now), Some(600));
        assert_eq!(ahead("Sun, 17 Mar 2030 17:46:00 GMT", now), Some(-40));
        assert_eq!(ahead("yesterday", now), None);
    }

    #[test]
    fn a_moment_is_told_by_the_clock_of_the_server() {
        let (clock, noon) = (Clock::default(), UNIX_EPOCH + Duration::from_secs(1_900_000_000));
        assert_eq!(clock.of_server(noon), noon);
        for (ahead, told) in [(40, noon + Duration::from_secs(40)), (-40, noon - Duration::from_secs(40))] {
            clock.0.store(ahead, Ordering::Relaxed);
            assert_eq!(clock.of_server(noon), told);
        }
    }
}
