//! `--metrics-address`: what the run has done so far, for Prometheus to fetch while it lasts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::pace::Pace;
use crate::report::metrics::{self, Figures, metrics_text};
use crate::report::progress::Progress;
use crate::store::RequestCounters;

/// Where they are.
const PATH: &str = "/metrics";
/// So many connections at once; further ones wait.
const CONNECTIONS: usize = 16;
/// Who says nothing for so long is hung up on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the figures come from.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) progress: Progress,
    pub(super) pace: Arc<Pace>,
    pub(super) requests: RequestCounters,
}

/// Begins to serve; ends when the set is dropped.
///
/// # Errors
/// [`Failure::Usage`] if nothing can listen there.
pub(super) async fn serve(address: SocketAddr, sources: Sources, watchers: &mut JoinSet<()>) -> Result<()> {
    let listener = TcpListener::bind(address).await;
    let bound = listener.and_then(|listener| listener.local_addr().map(|address| (listener, address)));
    let (listener, address) = bound.map_err(|error| Failure::Usage {
        message: format!("metrics cannot be served at {address}: {error}"),
        hint: "give --metrics-address a free port of this host, or leave it out".to_owned(),
    })?;
    if !address.ip().is_loopback() {
        tracing::warn!("whoever reaches {address} can read the metrics: they hold counts, no names and no secrets");
    }
    sources.progress.println(&format!("metrics: http://{address}{PATH}"));
    watchers.spawn(accept(listener, sources));
    Ok(())
}

async fn accept(listener: TcpListener, sources: Sources) {
    let (room, mut connections) = (Arc::new(Semaphore::new(CONNECTIONS)), JoinSet::new());
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        // A connection that is gone again, or too many open files: the next one may fare better.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let sources = sources.clone();
        connections.spawn(async move {
            let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &sources))));
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // What a client does wrong is its own affair.
            drop(builder.serve_connection(TokioIo::new(stream), answer).await);
            drop(permit);
        });
    }
}

fn answer(request: &Request<Incoming>, sources: &Sources) -> Response<Full<Bytes>> {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let (status, content, text) = match (request.uri().path(), reads) {
        (PATH, true) => match metrics_text(&figures(sources)) {
            Ok(text) => (StatusCode::OK, metrics::CONTENT_TYPE, text),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, PLAIN, "the metrics cannot be written\n".to_owned()),
        },
        (PATH, false) => (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n".to_owned()),
        (_, _) => (StatusCode::NOT_FOUND, PLAIN, format!("the metrics are at {PATH}\n")),
    };
    let response = Response::builder().status(status).header(CONTENT_TYPE, content);
    response.body(Full::from(text)).unwrap_or_default()
}

const PLAIN: &str = "text/plain; charset=utf-8";

fn figures(sources: &Sources) -> Figures {
    let Sources { progress, pace, requests } = sources;
    Figures {
        requests: requests.snapshot(),
        throttled: requests.throttles().count(),
        concurrency: u64::try_from(pace.size()).unwrap_or_default(),
        paused: pace.brake().holds(),
        phases: progress.figures(),
    }
}
