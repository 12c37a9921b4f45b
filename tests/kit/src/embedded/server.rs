//! The listening thread: a runtime of its own, so that blocking tests can use the server too.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpRequest, HttpResponse};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::faults::{Door, Fault, Guard, Repetition, Verdict};
use super::keys::Keys;
use super::service::Service;
use super::store::Store;

/// Threads that answer. Requests wait for nothing, so more would only take turns.
const WORKERS: usize = 2;

/// The running server. Dropping it closes the socket and all connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of the loopback.
    pub(crate) fn start(store: Arc<Store>, door: Arc<Door>, keys: Keys) -> anyhow::Result<Self> {
        // Bound here, by blocking means: the caller may be a test on a runtime of its own.
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("failed to listen on the loopback")?;
        listener.set_nonblocking(true).context("failed to make the listening socket non-blocking")?;
        let address = listener.local_addr().context("failed to read the embedded server's address")?;
        let mut builder = S3ServiceBuilder::new(Service(store));
        builder.set_auth(keys);
        builder.set_access(Guard(Arc::clone(&door)));
        let front = Front { service: builder.build(), door, requests: Arc::new(AtomicU64::new(1)) };
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("embedded-s3")
            .enable_all()
            .build()
            .context("failed to build the embedded server's runtime")?;
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, front) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new()
            .name("embedded-s3".to_owned())
            .spawn(serve)
            .context("failed to start the embedded server's thread")?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping the sender wakes the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been printed where it happened.
            drop(thread.join());
        }
    }
}

/// What every connection has: the service, and the door that says what becomes of its answers.
#[derive(Clone)]
struct Front {
    service: S3Service,
    door: Arc<Door>,
    requests: Arc<AtomicU64>,
}

async fn accept(listener: std::net::TcpListener, front: Front) {
    // Fails only without a runtime or on a blocking socket.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        // An error here is one client's, such as a reset before it was accepted.
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(stream, front.clone()));
    }
}

async fn serve(stream: TcpStream, front: Front) {
    // The second handle lets an answer change how the connection ends.
    let (Ok(()), Ok(socket)) = (stream.set_nodelay(true), stream.as_fd().try_clone_to_owned()) else { return };
    let socket = Arc::new(socket);
    let answering = service_fn(move |request| {
        let (front, socket) = (front.clone(), Arc::clone(&socket));
        async move { front.answer(request, &socket).await }
    });
    // Ends with an error when the client goes away, or when a fault drops the connection.
    drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answering).await);
}

impl Front {
    async fn answer(&self, request: hyper::Request<Incoming>, socket: &OwnedFd) -> Result<HttpResponse, HttpError> {
        let verdict = Verdict::default();
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(verdict.clone());
        // Whether it is to be done twice is known only once its body may have been read.
        let again = if self.door.is_hooked() { Some(repetition(&mut request).await?) } else { None };
        let mut response = self.service.call(request).await?;
        let fault = verdict.fault();
        if let (Fault::Twice, Some(again)) = (&fault, again) {
            response = self.service.call(again).await?;
        }
        self.door.done(&verdict);
        match fault {
            Fault::None | Fault::Status(..) | Fault::DelayMillis(_) | Fault::ErrorInAnswer(_) | Fault::Twice => {}
            Fault::AnswerLost | Fault::DropConnection => return Err(dropped()),
            Fault::Reset => {
                // Closed with this option, a socket sends RST instead of FIN (socket(7), SO_LINGER).
                SockRef::from(socket).set_linger(Some(Duration::ZERO)).map_err(|error| HttpError::new(error.into()))?;
                return Err(dropped());
            }
            Fault::NoAnswer => std::future::pending().await,
            Fault::EmptyAnswer => response = HttpResponse::new(Body::empty()),
            Fault::TruncatedAnswer => response = truncated(response).await?,
        }
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        response.headers_mut().insert("x-amz-request-id", HeaderValue::from(id));
        Ok(response)
    }
}

/// The same request once more; both have the whole body in memory from then on.
async fn repetition(request: &mut HttpRequest) -> Result<HttpRequest, HttpError> {
    let body = request.body_mut().store_all_limited(usize::MAX).await.map_err(HttpError::new)?;
    let mut again = HttpRequest::new(Body::from(body));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again.extensions_mut().insert(Repetition);
    Ok(again)
}

/// An answer that breaks off in the middle of its body. One without a body is lost.
async fn truncated(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (mut head, mut body) = response.into_parts();
    let mut bytes = body.store_all_limited(usize::MAX).await.map_err(HttpError::new)?;
    if bytes.is_empty() {
        return Err(dropped());
    }
    head.headers.remove(TRANSFER_ENCODING);
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    bytes.truncate(bytes.len() / 2);
    let half = futures::stream::once(std::future::ready(Ok(Frame::data(bytes))));
    let cut = futures::stream::once(async {
        // What was written before is flushed while this waits for its next turn.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut off on request"))
    });
    Ok(HttpResponse::from_parts(head, Body::http_body_unsync(StreamBody::new(half.chain(cut)))))
}

fn dropped() -> HttpError {
    HttpError::new("dropped on request".into())
}
