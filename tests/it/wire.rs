//! Hostile places on the way to MariaDB: one that takes TLS out of the greeting, and servers that want the password.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// `CLIENT_SSL` in the lower half of the capabilities (MariaDB: "Connecting", initial handshake packet).
const CLIENT_SSL: u16 = 0x0800;

/// How long a client may be silent until it is taken for gone.
const SILENCE: Duration = Duration::from_secs(20);

/// A listener that serves one client after another, and what the clients said to it in plain text.
struct Place {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Place {
    fn serving(serve: impl Fn(TcpStream, &Mutex<Vec<u8>>) -> std::io::Result<()> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                client.set_read_timeout(Some(SILENCE)).expect("a time-out");
                // A client that goes away in between is what the tests are about.
                drop(serve(client, &hearing));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("a lock").clone()
    }
}

/// Hands on what a real server says, but for its offer of TLS.
pub(crate) struct Stripper(Place);

impl Stripper {
    pub(crate) fn before(port: u16) -> Self {
        Self(Place::serving(move |mut client, heard| {
            let mut server = TcpStream::connect(("127.0.0.1", port))?;
            let mut greeting = packet(&mut server)?;
            // Head, protocol, version up to its NUL, thread, 8 bytes of nonce, filler.
            let version = greeting[5..].iter().position(|byte| *byte == 0).expect("a version");
            let at = 5 + version + 1 + 4 + 8 + 1;
            let capabilities = u16::from_le_bytes([greeting[at], greeting[at + 1]]);
            assert!(capabilities & CLIENT_SSL != 0, "the real server offers TLS");
            greeting[at..at + 2].copy_from_slice(&(capabilities & !CLIENT_SSL).to_le_bytes());
            client.write_all(&greeting)?;
            let said = packet(&mut client)?;
            heard.lock().expect("a lock").extend(said);
            server.shutdown(Shutdown::Both)
        }))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn heard(&self) -> Vec<u8> {
        self.0.heard()
    }
}

/// A server without TLS that wants the password in a form that it can read.
pub(crate) struct Rogue(Place);

impl Rogue {
    /// Names the plugin in its greeting.
    pub(crate) fn asking_for(plugin: &'static str) -> Self {
        Self(Place::serving(move |mut client, heard| {
            client.write_all(&framed(0, &greeting(plugin)))?;
            hear(&mut client, heard)
        }))
    }

    /// Greets like MariaDB, then has the client switch to the plugin.
    pub(crate) fn switching_to(plugin: &'static str) -> Self {
        Self(Place::serving(move |mut client, heard| {
            client.write_all(&framed(0, &greeting("mysql_native_password")))?;
            heard.lock().expect("a lock").extend(packet(&mut client)?);
            let switch = [&[0xfe], plugin.as_bytes(), &[0], &[b'n'; 20], &[0]].concat();
            client.write_all(&framed(2, &switch))?;
            hear(&mut client, heard)
        }))
    }

    /// Greets like MariaDB, and refuses the login with these words.
    pub(crate) fn saying(words: &'static str) -> Self {
        Self(Place::serving(move |mut client, heard| {
            client.write_all(&framed(0, &greeting("mysql_native_password")))?;
            heard.lock().expect("a lock").extend(packet(&mut client)?);
            client.write_all(&framed(2, &denied(words)))
        }))
    }

    /// Greets like MariaDB, and answers the login with a packet that holds nothing.
    pub(crate) fn breaking_off() -> Self {
        Self(Place::serving(|mut client, heard| {
            client.write_all(&framed(0, &greeting("mysql_native_password")))?;
            heard.lock().expect("a lock").extend(packet(&mut client)?);
            client.write_all(&framed(2, &[]))
        }))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
    }

    pub(crate) fn heard(&self) -> Vec<u8> {
        self.0.heard()
    }
}

/// Hears all that the client says until it goes.
fn hear(client: &mut TcpStream, heard: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut chunk = [0; 4096];
    while let length @ 1.. = client.read(&mut chunk)? {
        heard.lock().expect("a lock").extend_from_slice(&chunk[..length]);
        // Whatever was said: access denied, so that the client need not wait.
        client.write_all(&framed(2, &denied("Access denied")))?;
    }
    Ok(())
}

/// Error 1045 with these words.
fn denied(words: &str) -> Vec<u8> {
    [&[0xff][..], &1045_u16.to_le_bytes(), b"#28000", words.as_bytes()].concat()
}

/// One packet with its head.
fn packet(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet)?;
    let length = usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    packet.resize(4 + length, 0);
    stream.read_exact(&mut packet[4..])?;
    Ok(packet)
}

fn framed(sequence: u8, body: &[u8]) -> Vec<u8> {
    let [low, high, ..] = u32::try_from(body.len()).expect("a short packet").to_le_bytes();
    [&[low, high, 0, sequence], body].concat()
}

/// A greeting of MariaDB 10.11 without TLS.
fn greeting(plugin: &str) -> Vec<u8> {
    // PROTOCOL_41, SECURE_CONNECTION, CONNECT_WITH_DB and others; PLUGIN_AUTH in the upper half.
    let (low, high) = (0xf7fe_u16 & !CLIENT_SSL, 0x81ff_u16);
    [
        &[10][..],
        b"5.5.5-10.11.19-MariaDB\0",
        &7_u32.to_le_bytes(),
        b"nonce-01\0",
        &low.to_le_bytes(),
        &[45, 2, 0],
        &high.to_le_bytes(),
        &[21],
        &[0; 10],
        b"nonce-012345\0",
        plugin.as_bytes(),
        &[0],
    ]
    .concat()
}
