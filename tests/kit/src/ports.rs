//! Free ports of the loopback.

use std::collections::BTreeSet;
use std::net::TcpListener;

use anyhow::bail;

/// SeaweedFS takes each port again at this distance, for gRPC.
const TWIN: u16 = 10_000;

/// So many different free ports, each with a free twin 10,000 above. All lie below 30,000: outgoing connections take
/// theirs from 32,768 on and cannot steal one before the server binds it.
pub(crate) fn free(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut ports = BTreeSet::new();
    for _ in 0..10_000 {
        if ports.len() == count {
            return Ok(ports.into_iter().collect());
        }
        let offset = u16::try_from(crate::random::number() % 9_000).unwrap_or(0);
        let port = 11_000 + offset;
        if is_free(port) && is_free(port + TWIN) {
            ports.insert(port);
        }
    }
    bail!("failed to find {count} free ports between 11000 and 30000")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
