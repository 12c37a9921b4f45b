//! Signals: the first one lets what is in flight end, the second one stops at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Exit;
use crate::report::progress::Progress;

/// Cancels `stop` at the first SIGINT or SIGTERM, and ends the process at the second.
pub(super) fn listen(stop: CancellationToken, progress: Progress) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be caught: an interrupt stops at once");
        return;
    };
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        progress.println("interrupted: finishing what is in flight; a second signal stops at once");
        stop.cancel();
        either(&mut interrupt, &mut terminate).await;
        std::process::exit(Exit::Interrupted.code().into());
    });
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
