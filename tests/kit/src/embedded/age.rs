//! How old a signature may be.

use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use s3s::{S3Result, s3_error};
use time::{Date, Month, OffsetDateTime, Time};

/// AWS: "RequestTimeTooSkewed: the difference between the request time and the server's time is too large", 15 minutes.
const SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// Refuses a request that was signed too long ago, or will be.
pub(crate) fn check(headers: &HeaderMap) -> S3Result {
    let Some(signed) = headers.get("x-amz-date").and_then(|date| parse(date.to_str().ok()?)) else { return Ok(()) };
    let now = SystemTime::now();
    let skew = now.duration_since(signed).unwrap_or_else(|later| later.duration());
    if skew > SKEW_MAX {
        return Err(s3_error!(
            RequestTimeTooSkewed,
            "The difference between the request time and the server's time is too large"
        ));
    }
    Ok(())
}

/// `20261123T052600Z`.
fn parse(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
    let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
    let month = Month::try_from(small(4)?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, small(6)?).ok()?;
    let time = Time::from_hms(small(9)?, small(11)?, small(13)?).ok()?;
    Some(OffsetDateTime::new_utc(date, time).into())
}
