//! Buckets behind TLS and a name that has to be resolved, as those of AWS are.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use avatar_migrate_kit::{Authority, RunningWebServer, TlsFront, Validity, WebServer};

use super::client::Request;
use super::{SERVERS, format_of};
use crate::support::{World, content};

/// A name server that knows one answer: 127.0.0.1.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    fn start() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let address = socket.local_addr().expect("an address");
        let (asked, end) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop) = (Arc::clone(&asked), Arc::clone(&end));
        let thread = std::thread::spawn(move || {
            let mut question = [0; 512];
            while !stop.load(Ordering::SeqCst) {
                let Ok((length, client)) = socket.recv_from(&mut question) else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                drop(socket.send_to(&answer(&question[..length]), client));
            }
        });
        Self { address, asked, end, thread: Some(thread) }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// The question again with an address of type A, or nothing for any other type (RFC 1035, section 4).
fn answer(question: &[u8]) -> Vec<u8> {
    let name_end = 12 + question[12..].iter().position(|byte| *byte == 0).expect("a name") + 1;
    let of_type_a = question[name_end..name_end + 2] == [0, 1];
    let mut answer = question[..name_end + 4].to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(of_type_a), 0, 0, 0, 0]);
    if of_type_a {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

struct Secure {
    world: World,
    front: TlsFront,
    names: NameServer,
    authority: Authority,
}

impl Secure {
    /// Buckets behind a certificate for `name`.
    fn new(name: &str) -> Self {
        let world = World::bare();
        for bucket in ["legacy-s3", "production-s3"] {
            world.s3.make_public(bucket, false);
        }
        world.source("image/avatar-1.png");
        let authority = Authority::new().expect("an authority");
        let certificate = authority.issue(name, Validity::Now).expect("a certificate");
        let server = world.s3.endpoint().trim_start_matches("http://").parse().expect("an address");
        let front = TlsFront::start(server, &certificate).expect("a door");
        Self { world, front, names: NameServer::start(), authority }
    }

    fn start(&self, server: WebServer) -> RunningWebServer {
        let bundle = self.world.directory.path().join("it's a bundle.pem");
        std::fs::write(&bundle, self.authority.pem()).expect("a file");
        let endpoint = format!("https://localhost:{}", self.front.port());
        let configure = |address: SocketAddr| {
            let (listen, resolver) = (address.to_string(), self.names.address.to_string());
            let arguments = ["redirect", "--format", format_of(server), "--listen", &listen, "--resolver", &resolver];
            let mut command = self.world.command("", &arguments);
            command.env_remove("AVATAR_MIGRATE_SOURCE_ENDPOINT_URL").env_remove("AVATAR_MIGRATE_TARGET_ENDPOINT_URL");
            command.env("AWS_ENDPOINT_URL_S3", &endpoint).env("AWS_CA_BUNDLE", &bundle);
            let ended = crate::process::Running::start(command).ended().exits(0);
            ended.stdout
        };
        server.start(configure).unwrap_or_else(|error| panic!("{error:#}"))
    }
}

#[test]
fn buckets_are_found_by_name_and_verified() {
    for server in SERVERS {
        let secure = Secure::new("localhost");
        let proxy = secure.start(server);
        let answer = Request::get("/avatar/avatar-1.png").to(proxy.address());
        assert_eq!(answer.status, 200, "{server:?}: {}", proxy.log_tail());
        assert!(answer.body == content("image/avatar-1.png"));
        assert_eq!(
            server == WebServer::Nginx,
            secure.names.asked.load(Ordering::SeqCst) > 0,
            "nginx asks the name server"
        );
    }
}

#[test]
fn a_server_that_is_not_the_buckets_is_not_believed() {
    for server in SERVERS {
        let secure = Secure::new("elsewhere.example");
        let proxy = secure.start(server);
        let status = Request::get("/avatar/avatar-1.png").to(proxy.address()).status;
        assert!([502, 503].contains(&status), "{server:?}: {status}");
        assert!(secure.world.s3.requests().is_empty());
    }
}
