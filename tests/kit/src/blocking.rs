//! Waiting for asynchronous work from anywhere, a test's own runtime included.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use crate::supervisor::Supervisor;

/// How long a server may take until it answers.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Runs asynchronous work to its end on a thread and a runtime of its own: a test's runtime must not be blocked on.
pub(crate) fn block_on<T: Send, F: Future<Output = anyhow::Result<T>>>(
    work: impl FnOnce() -> F + Send,
) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("failed to build a runtime")?
                .block_on(work())
        });
        worker.join().map_err(|_| anyhow!("the thread that waited panicked"))?
    })
}

/// Asks `probe` until it answers, with growing pauses, while the server lives and the limit is not reached.
pub(crate) async fn until_ready<T>(
    name: &str,
    server: &Supervisor,
    probe: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        let error = match probe().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !server.is_alive() {
            bail!("{name} ended while it started. The end of its log:\n{}", server.log_tail());
        }
        if started.elapsed() > READY_LIMIT {
            bail!(
                "{name} did not answer within {READY_LIMIT:?}: {error:#}. The end of its log:\n{}",
                server.log_tail()
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(250));
    }
}
