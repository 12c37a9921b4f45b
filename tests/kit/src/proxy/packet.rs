//! Packets of the MariaDB protocol: three bytes of length, a number that begins anew with each command, the payload.

use std::io::{self, Read, Write};

/// The client asks for TLS with this bit; without it in the greeting, it does not.
const CLIENT_SSL: u8 = 0x08;

/// One packet.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) number: u8,
    pub(super) payload: Vec<u8>,
}

impl Packet {
    /// The next packet; `None` at the end of the stream.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; 4];
        match from.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let [a, b, c, number] = head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, 0])).map_err(io::Error::other)?;
        let mut payload = vec![0; length];
        from.read_exact(&mut payload)?;
        Ok(Some(Self { number, payload }))
    }

    /// The bytes on the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let [a, b, c, _] = length.to_le_bytes();
        [&[a, b, c, self.number], self.payload.as_slice()].concat()
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.bytes())
    }

    /// The answer with an error to the packet `number`.
    pub(super) fn error(number: u8, code: u16) -> Self {
        let state: &[u8; 5] = if code == 1213 { b"40001" } else { b"HY000" };
        let payload = [&[0xff], code.to_le_bytes().as_slice(), b"#", state, b"injected by the proxy"].concat();
        Self { number: number.wrapping_add(1), payload }
    }

    /// Of the server's greeting: the id of the session. TLS is taken out of what the server offers, as the proxy reads along.
    pub(super) fn greeting(&mut self) -> Option<u64> {
        let version = self.payload.iter().skip(1).position(|byte| *byte == 0)?;
        let id_at = version + 2;
        let id: [u8; 4] = self.payload.get(id_at..id_at + 4)?.try_into().ok()?;
        // After the id: eight bytes of salt and a zero, then the capabilities, of which TLS is in the second byte.
        if let Some(capabilities) = self.payload.get_mut(id_at + 14) {
            *capabilities &= !CLIENT_SSL;
        }
        Some(u64::from(u32::from_le_bytes(id)))
    }
}
