//! The smallest HTTP client: one request a connection, whose target goes out byte for byte.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// No answer takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// What browsers leave as it is in a path, and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The path of a key below a prefix, as browsers send it.
pub(super) fn target(prefix: &str, rest: &str) -> String {
    format!("/{}", utf8_percent_encode(&format!("{prefix}{rest}"), PATH))
}

/// A request.
#[derive(Clone)]
pub(super) struct Request {
    method: &'static str,
    target: String,
    headers: String,
    body: &'static str,
}

/// An answer; names of headers in small letters.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Request {
    pub(super) fn get(target: &str) -> Self {
        Self::of("GET", target)
    }

    pub(super) fn of(method: &'static str, target: &str) -> Self {
        Self { method, target: target.to_owned(), headers: String::new(), body: "" }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    pub(super) fn with_body(self, body: &'static str) -> Self {
        Self { body, ..self }.with("Content-Length", &body.len().to_string())
    }

    /// Sends it and reads the answer; panics if there is none.
    #[track_caller]
    pub(super) fn to(&self, server: SocketAddr) -> Answer {
        self.try_to(server).unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    pub(super) fn try_to(&self, server: SocketAddr) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let Self { method, target, headers, body } = self;
        // In one piece: the rest of several would wait for an acknowledgement.
        let head = format!("{method} {target} HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut answer = BufReader::new(stream);
        let status = line(&mut answer)?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("no status line"))?;
        let mut headers = BTreeMap::new();
        loop {
            let line = line(&mut answer)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let mut body = Vec::new();
        answer.read_to_end(&mut body)?;
        let announced = headers.get("content-length").and_then(|length: &String| length.parse().ok());
        if *method == "GET" && status != 304 && announced.is_some_and(|length: usize| length != body.len()) {
            return Err(std::io::Error::other(format!("{} bytes instead of {announced:?}", body.len())));
        }
        Ok(Answer { status, headers, body })
    }
}

fn line(answer: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    answer.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
