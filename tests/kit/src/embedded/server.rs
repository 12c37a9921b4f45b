//! The listening thread: a runtime of its own, so that blocking tests can use the server too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::Context;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::faults::{Door, Fault, Guard, Verdict};
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
    pub(crate) fn start(store: Arc<Store>, door: Arc<Door>, auth: SimpleAuth) -> anyhow::Result<Self> {
        // Bound here, by blocking means: the caller may be a test on a runtime of its own.
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("failed to listen on the loopback")?;
        listener.set_nonblocking(true).context("failed to make the listening socket non-blocking")?;
        let address = listener.local_addr().context("failed to read the embedded server's address")?;
        let mut builder = S3ServiceBuilder::new(Service(store));
        builder.set_auth(auth);
        builder.set_access(Guard(door));
        let service = builder.build();
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
                    () = accept(listener, service) => {}
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

async fn accept(listener: std::net::TcpListener, service: S3Service) {
    // Fails only without a runtime or on a blocking socket.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let requests = Arc::new(AtomicU64::new(1));
    loop {
        // An error here is one client's, such as a reset before it was accepted.
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(stream, service.clone(), Arc::clone(&requests)));
    }
}

async fn serve(stream: TcpStream, service: S3Service, requests: Arc<AtomicU64>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let answering = service_fn(move |request| {
        let id = requests.fetch_add(1, Ordering::Relaxed);
        answer(service.clone(), request, id)
    });
    // Ends with an error when the client goes away, or when a fault drops the connection.
    drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answering).await);
}

async fn answer(service: S3Service, request: hyper::Request<Incoming>, id: u64) -> Result<HttpResponse, HttpError> {
    let verdict = Verdict::default();
    let mut request = request.map(Body::from);
    request.extensions_mut().insert(verdict.clone());
    let mut response = service.call(request).await?;
    match verdict.fault() {
        Fault::None | Fault::Status(..) | Fault::DelayMillis(_) | Fault::ErrorInAnswer(_) => {}
        Fault::AnswerLost | Fault::DropConnection => return Err(HttpError::new("dropped on request".into())),
        Fault::EmptyAnswer => response = HttpResponse::new(Body::empty()),
    }
    response.headers_mut().insert("x-amz-request-id", HeaderValue::from(id));
    Ok(response)
}
