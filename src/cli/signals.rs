//! Signals: the first one lets what is in flight end, the second one stops at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::Exit;
use crate::pace::{Brake, Cause};
use crate::report::progress::Progress;

/// Cancels `stop` at the first SIGINT or SIGTERM, and ends the process at the second. SIGUSR1 pulls the brake, and lets
/// it go the next time.
pub(super) fn listen(stop: CancellationToken, brake: Brake, progress: Progress) {
    match signal(SignalKind::user_defined1()) {
        Ok(mut pause) => drop(tokio::spawn(async move {
            while pause.recv().await.is_some() {
                brake.toggle(Cause::Signal, "SIGUSR1; the same signal lets it go on");
            }
        })),
        Err(_) => tracing::warn!("signals cannot be caught: SIGUSR1 would end the program"),
    }
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
