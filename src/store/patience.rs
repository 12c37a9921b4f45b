//! How long to wait, and how often to try: every number about time in this room.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, Config, StalledStreamProtectionConfig};

/// How often this room tries what the SDK does not retry: broken bodies, per-key verdicts, streamed uploads.
pub(super) const ATTEMPTS_MAX: u32 = 5;

/// Objects up to this size are copied within the ordinary time-outs.
pub(super) const ORDINARY_SIZE_MAX: u64 = 64 << 20;

/// Waits before the next attempt: 0.2 s, doubled each time.
pub(super) async fn pause_before(attempt: u32) {
    tokio::time::sleep(FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1).min(6))).await;
}

/// A client's time-out for one attempt, as `--request-timeout` has it: [`configure`] keeps it.
pub(super) fn attempts_take(timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(timeout).build()
}

/// Retries and time-outs of a client, all set explicitly: the SDK has no attempt time-out by default, so that a dead
/// peer would hang a copy for ever, and its retry defaults are about to change (smithy-rs issue 4670).
///
/// The default token bucket is shared by all clients of a region and runs dry in a storm of 503s, after which nothing
/// is retried any more; each client gets one of its own that a storm cannot empty.
pub(super) fn configure(config: &Config, partition: &'static str) -> Builder {
    let timeout = attempt_timeout(config);
    let bucket = TokenBucket::builder().capacity(50_000).refill_rate(500.0).build();
    let retries = RetryConfig::standard()
        .with_max_attempts(6)
        .with_initial_backoff(Duration::from_millis(250))
        .with_max_backoff(Duration::from_secs(10));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(timeout)
        .operation_attempt_timeout(timeout)
        .build();
    config
        .to_builder()
        .retry_partition(RetryPartition::custom(partition).token_bucket(bucket).build())
        .retry_config(retries)
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build())
}

/// The time-out of one attempt at moving `size` bytes, inside S3 or through this machine. The time-out for the answer's
/// head goes, as it would count the whole transfer.
pub(super) fn for_transfer(client: &Client, size: u64) -> Builder {
    let timeout = transfer_time(attempt_timeout(client.config()), size);
    let timeouts = TimeoutConfig::builder().disable_read_timeout().operation_attempt_timeout(timeout).build();
    Builder::new().timeout_config(timeouts)
}

/// The same for work that S3 does while it sends nothing: its silence is not a stalled stream (smithy-rs issue 4439).
pub(super) fn for_silent_work(client: &Client, size: u64) -> Builder {
    for_transfer(client, size).stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

fn attempt_timeout(config: &Config) -> Duration {
    config.timeout_config().and_then(TimeoutConfig::operation_attempt_timeout).unwrap_or(BASE_TIMEOUT)
}

fn transfer_time(base: Duration, size: u64) -> Duration {
    base.saturating_add(Duration::from_secs(size / SLOWEST_BYTES_PER_SECOND))
}

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const BASE_TIMEOUT: Duration = Duration::from_secs(60);
const STALL_GRACE: Duration = Duration::from_secs(20);
const SLOWEST_BYTES_PER_SECOND: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patience_grows_with_the_size() {
        let base = Duration::from_secs(60);
        assert_eq!(transfer_time(base, 0), base);
        assert_eq!(transfer_time(base, 5_000_000_000), Duration::from_secs(60 + 4768));
    }
}
