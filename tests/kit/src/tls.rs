//! A door with TLS before a server that has none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificates::Certificate;

/// The door. Dropping it closes the socket and all connections.
pub struct TlsFront {
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TlsFront {
    /// Listens on a free port of the loopback, shows the certificate, and hands what it decrypts to `server`.
    pub fn start(server: SocketAddr, certificate: &Certificate) -> anyhow::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(config(certificate)?));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("failed to listen on the loopback")?;
        listener.set_nonblocking(true).context("failed to make the listening socket non-blocking")?;
        let port = listener.local_addr().context("failed to read the address")?.port();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("failed to build a runtime")?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, &acceptor, server) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self { port, stop: Some(stop), thread: Some(thread) })
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        // Dropping the sender wakes the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn config(certificate: &Certificate) -> anyhow::Result<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(certificate.certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).context("no key")?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().context("no version of TLS")?.with_no_client_auth();
    builder.with_single_cert(chain.context("no certificate")?, key).context("certificate and key do not match")
}

async fn accept(listener: std::net::TcpListener, acceptor: &TlsAcceptor, server: SocketAddr) {
    // Fails only without a runtime or on a blocking socket.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(client, acceptor.clone(), server));
    }
}

/// Ends when either side does; a client that does not like the certificate goes away in the handshake.
async fn serve(client: TcpStream, acceptor: TlsAcceptor, server: SocketAddr) {
    let Ok(mut client) = acceptor.accept(client).await else { return };
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
}
