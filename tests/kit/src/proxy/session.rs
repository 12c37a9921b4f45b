//! One connection through the proxy: a thread for each direction.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::packet::Packet;
use super::{CommandKind, CommandSeen, DatabaseFault, Door};

const QUIT: u8 = 0x01;
const QUERY: u8 = 0x03;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const LONG_DATA: u8 = 0x18;
const CLOSE: u8 = 0x19;

/// What both directions know.
#[derive(Debug, Default)]
struct Known {
    session: u64,
    greeted: bool,
    in_transaction: bool,
    /// The statement whose id the next answer tells.
    preparing: Option<String>,
    prepared: HashMap<u32, String>,
    answer: Answer,
}

/// What becomes of the next answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    Arrives,
    Lost,
    Truncated,
    /// Nothing arrives any more.
    Silence,
}

/// Carries a connection until it ends.
pub(super) fn serve(client: TcpStream, door: &Arc<Door>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", door.server)) else { return };
    // A stream that is gone ends its direction; that is what the proxy is for.
    drop(carry(client, server, door));
}

fn carry(mut client: TcpStream, mut server: TcpStream, door: &Door) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let known = Arc::new(Mutex::new(Known::default()));
    let (to_client, from_server, shared) = (client.try_clone()?, server.try_clone()?, Arc::clone(&known));
    let back = std::thread::spawn(move || drop(answers(to_client, from_server, &shared)));
    let ended = commands(&mut client, &mut server, &known, door);
    drop(server.shutdown(Shutdown::Both));
    drop(client.shutdown(Shutdown::Both));
    drop(back.join());
    ended
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn commands(client: &mut TcpStream, server: &mut TcpStream, known: &Mutex<Known>, door: &Door) -> io::Result<()> {
    while let Some(mut packet) = Packet::read(client)? {
        let Some(seen) = look(&packet, known, door) else {
            packet.write(server)?;
            continue;
        };
        let fault = door.judge(&seen);
        let mut now = lock(known);
        now.answer = match &fault {
            DatabaseFault::AnswerLost => Answer::Lost,
            DatabaseFault::AnswerTruncated => Answer::Truncated,
            DatabaseFault::Stall => Answer::Silence,
            DatabaseFault::None
            | DatabaseFault::CutBefore
            | DatabaseFault::CutAfter
            | DatabaseFault::Error(_)
            | DatabaseFault::Instead(_) => Answer::Arrives,
        };
        drop(now);
        match fault {
            DatabaseFault::CutBefore => return Ok(()),
            DatabaseFault::CutAfter => return packet.write(server),
            DatabaseFault::Stall => {
                door.stalled.fetch_add(1, Ordering::SeqCst);
                // Until the client gives up.
                io::copy(client, &mut io::sink())?;
                return Ok(());
            }
            DatabaseFault::Error(code) => {
                Packet::error(packet.number, code).write(client)?;
                continue;
            }
            DatabaseFault::Instead(sql) if seen.kind != CommandKind::Execute => {
                packet.payload.truncate(1);
                packet.payload.extend_from_slice(sql.as_bytes());
            }
            DatabaseFault::None
            | DatabaseFault::Instead(_)
            | DatabaseFault::AnswerLost
            | DatabaseFault::AnswerTruncated => {}
        }
        follow(&seen, known);
        packet.write(server)?;
    }
    Ok(())
}

/// A command that will be answered; `None` for the rest of a conversation, and for commands that nobody answers.
fn look(packet: &Packet, known: &Mutex<Known>, door: &Door) -> Option<CommandSeen> {
    let now = lock(known);
    let text = || String::from_utf8_lossy(packet.payload.get(1..).unwrap_or_default()).into_owned();
    let (kind, sql) = match (packet.number, packet.payload.first()?) {
        (1, _) if !now.greeted => (CommandKind::Login, String::new()),
        (1.., _) | (0, &(QUIT | CLOSE | LONG_DATA)) => return None,
        (0, &QUERY) => (CommandKind::Query, text()),
        (0, &PREPARE) => (CommandKind::Prepare, text()),
        (0, &EXECUTE) => {
            let id = packet.payload.get(1..5).and_then(|id| Some(u32::from_le_bytes(id.try_into().ok()?)));
            (CommandKind::Execute, id.and_then(|id| now.prepared.get(&id).cloned()).unwrap_or_default())
        }
        (0, _) => (CommandKind::Other, String::new()),
    };
    let (session, in_transaction) = (now.session, now.in_transaction);
    Some(CommandSeen { nth: door.numbered(), session, kind, sql, in_transaction })
}

/// Notes what a command that goes on to the server means for the next ones.
fn follow(seen: &CommandSeen, known: &Mutex<Known>) {
    let mut now = lock(known);
    match seen.kind {
        CommandKind::Login => now.greeted = true,
        CommandKind::Prepare => now.preparing = Some(seen.sql.clone()),
        CommandKind::Query | CommandKind::Execute => match seen.sql.as_str() {
            "START TRANSACTION" => now.in_transaction = true,
            "COMMIT" | "ROLLBACK" => now.in_transaction = false,
            _ => {}
        },
        CommandKind::Other => {}
    }
}

fn answers(mut client: TcpStream, mut server: TcpStream, known: &Mutex<Known>) -> io::Result<()> {
    let mut first = true;
    while let Ok(Some(mut packet)) = Packet::read(&mut server) {
        let mut now = lock(known);
        if first {
            now.session = packet.greeting().unwrap_or_default();
            first = false;
        }
        if let Some(sql) = now.preparing.take()
            && packet.payload.first() == Some(&0)
            && let Some(id) = packet.payload.get(1..5).and_then(|id| id.try_into().ok())
        {
            now.prepared.insert(u32::from_le_bytes(id), sql);
        }
        let answer = now.answer;
        drop(now);
        match answer {
            Answer::Arrives => packet.write(&mut client)?,
            Answer::Silence => {}
            Answer::Lost => break,
            Answer::Truncated => {
                let bytes = packet.bytes();
                client.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default())?;
                break;
            }
        }
    }
    if lock(known).answer == Answer::Silence {
        return Ok(());
    }
    // Wakes the other direction too.
    drop(server.shutdown(Shutdown::Both));
    client.shutdown(Shutdown::Both)
}
