//! The lines about the database and this machine.

use anyhow::Error;

use super::{Check, Side};
use crate::config::DatabaseTls;
use crate::database::{ColumnSurvey, MissingForLedger, Replica, Role, ServerFacts, TextColumn, Trigger};
use crate::failure::{Failure, Holder};
use crate::report::summary::DatabaseForecast;
use crate::report::text::counted;

/// Whether the database answers.
#[must_use]
pub fn connected(place: &str, error: Option<&Error>) -> Check {
    match error {
        None => Check::pass("reach", Side::Database, format!("connected to {place}")),
        Some(error) => failed("reach", error),
    }
}

/// What the server is.
#[must_use]
pub fn server(facts: &Result<ServerFacts, Error>, replica_is_primary: bool) -> Vec<Check> {
    let side = Side::Database;
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => return vec![failed("server", error)],
    };
    let version = if facts.version.contains("MariaDB") {
        Check::pass("version", side, facts.version.clone())
    } else {
        let found = format!("{} is no MariaDB", facts.version);
        Check::fail("version", side, found, "use MariaDB 10.6 or newer: other servers lack what the cutover needs")
    };
    let binlog = match (facts.log_bin, facts.binlog_format.as_str()) {
        (false, _) => Check::pass("binlog", side, "off"),
        (true, "STATEMENT") => Check::fail(
            "binlog",
            side,
            "binlog_format=STATEMENT, which READ COMMITTED does not allow",
            "set binlog_format to MIXED or ROW on the server",
        ),
        (true, format) => Check::pass("binlog", side, format!("binlog_format={format}")),
    };
    let writes = if facts.read_only {
        let advice = "connect to the primary, not to a replica";
        Check::fail("read only", side, "the server is read-only (read_only=ON)", advice)
    } else {
        Check::pass("read only", side, "no: the server takes writes")
    };
    let galera = if facts.galera {
        let advice = "run against a server that is no member of a Galera cluster";
        Check::fail("galera", side, "member of a Galera cluster, which has no named locks", advice)
    } else {
        Check::pass("galera", side, "no member of a cluster")
    };
    let replication = match (facts.replicating, replica_is_primary) {
        (false, _) => Check::pass("replication", side, "applies no other server's changes"),
        (true, true) => Check::pass("replication", side, "from another server (--replica-is-primary)"),
        (true, false) => Check::fail(
            "replication",
            side,
            "the server replicates from another one, so that its rows lag behind those of the application",
            "connect to the primary, or say --replica-is-primary if the application writes to this one",
        ),
    };
    vec![version, binlog, writes, replication, galera]
}

/// Whether the connection can be read or changed on its way.
#[must_use]
pub fn encryption(cipher: &Result<Option<String>, Error>, tls: DatabaseTls, is_local: bool) -> Check {
    let (name, side) = ("encryption", Side::Database);
    let cipher = match cipher {
        Ok(cipher) => cipher,
        Err(error) => return failed(name, error),
    };
    match (cipher, tls == DatabaseTls::Verify) {
        (Some(cipher), true) => Check::pass(name, side, format!("{cipher}, certificate and host name verified")),
        (Some(cipher), false) if is_local => Check::pass(name, side, format!("{cipher}, on this host")),
        (None, _) if is_local => Check::pass(name, side, "none, on this host"),
        (Some(cipher), false) => {
            let found = format!("{cipher}, but nobody has verified whose certificate it is");
            Check::warn(name, side, found, "give --database-tls verify")
        }
        (None, _) => Check::warn(
            name,
            side,
            "the connection is not encrypted",
            "switch on TLS on the server, and give --database-tls verify",
        ),
    }
}

/// Whether the server was set up as a replica, running or not.
#[must_use]
pub fn replica(asked: &Result<Replica, Error>) -> Check {
    let (name, side) = ("replica", Side::Database);
    match asked {
        Ok(Replica::No) => Check::pass(name, side, "set up as nobody's replica"),
        Ok(Replica::Yes) => Check::warn(
            name,
            side,
            "the server is set up as a replica of another one",
            "connect to the primary, unless this one is meant to be written to",
        ),
        Ok(Replica::Unknown) => Check::warn(
            name,
            side,
            "unknown: the user may not ask for one that is stopped",
            "GRANT REPLICA MONITOR ON *.* to the user, or make sure that this is the primary",
        ),
        Err(error) => failed(name, error),
    }
}

/// Triggers that the cutover would start.
#[must_use]
pub fn triggers(asked: &Result<Option<Vec<Trigger>>, Error>, references: &[TextColumn]) -> Check {
    let (name, side) = ("triggers", Side::Database);
    let triggers = match asked {
        Ok(Some(triggers)) => triggers,
        Ok(None) => {
            let advice = "GRANT TRIGGER on the schema to the user, or look for triggers on UPDATE yourself";
            return Check::warn(name, side, "unknown: hidden from users without the TRIGGER privilege", advice);
        }
        Err(error) => return failed(name, error),
    };
    let of_references = triggers.iter().filter(|one| references.iter().any(|column| column.name.table == one.table));
    let names: Vec<String> = of_references.map(|one| format!("{} {} on {}", one.name, one.at, one.table)).collect();
    if names.is_empty() {
        return Check::pass(name, side, "none starts when rows move");
    }
    let advice = "see what they do for each row; one that refuses a row stops the cutover, and nothing moves";
    Check::warn(name, side, names.join(", "), advice)
}

/// What one column holds.
#[must_use]
pub fn reference(survey: &ColumnSurvey, role: Role) -> Option<Check> {
    let (name, side) = ("reference", Side::Database);
    let counts = survey.counts;
    let of = |count, word| counted(count, word, word);
    let mut parts = vec![of(counts.legacy, "legacy"), of(counts.modern, "modern")];
    if counts.suspect > 0 {
        parts.push(of(counts.suspect, "suspect"));
    }
    let found = format!("{}: {}", survey.column.name, parts.join(", "));
    let paths = counts.legacy + counts.modern + counts.suspect;
    match role {
        Role::Other if paths == 0 => None,
        Role::Excluded => {
            let advice = "nothing to do, if these rows are meant to stay";
            (paths > 0).then(|| Check::warn(name, side, format!("{found}; excluded"), advice))
        }
        Role::Other if counts.legacy > 0 => Some(Check::fail(
            name,
            side,
            format!("{found}; not among the references"),
            "name it with --reference, or leave it on purpose with --exclude-reference",
        )),
        Role::Reference | Role::Other if counts.suspect > 0 => Some(Check::fail(
            name,
            side,
            found,
            "suspects block finalize: verify lists each; correct the rows or add a mapping for their form",
        )),
        Role::Reference | Role::Other => Some(Check::pass(name, side, found)),
    }
}

/// Whether there are rows to move at all.
#[must_use]
pub fn references(found: &Result<(u64, u64), Error>) -> Option<Check> {
    let (name, side) = ("references", Side::Database);
    match found {
        Ok((0, 0)) => Some(Check::warn(
            name,
            side,
            "no row holds a legacy or a modern path",
            "check the database's name and --legacy-prefix; finalize refuses where nothing points at anything",
        )),
        Ok(_) => None,
        Err(error) => Some(failed(name, error)),
    }
}

/// Legacy paths inside longer texts.
#[must_use]
pub fn mentions(count: u64, strict: bool) -> Option<Check> {
    let found = counted(count, "longer text mentions a legacy path", "longer texts mention a legacy path");
    let advice = if strict {
        "they block finalize (--strict-mentions): verify names examples"
    } else {
        "they stay as written: look at the examples that verify names"
    };
    (count > 0).then(|| Check::warn("mentions", Side::Database, found, advice))
}

/// What the schema itself forbids.
#[must_use]
pub fn schema(reasons: &Result<Vec<String>, Error>) -> Vec<Check> {
    let (name, side) = ("schema", Side::Database);
    match reasons {
        Ok(reasons) if reasons.is_empty() => {
            vec![Check::pass(name, side, "engines, lengths, character sets and foreign keys let the rows move")]
        }
        Ok(reasons) => {
            let advice = "copy refuses: change the schema, or leave the column out with --exclude-reference";
            reasons.iter().map(|reason| Check::fail(name, side, reason.clone(), advice)).collect()
        }
        Err(error) => vec![failed(name, error)],
    }
}

/// Whether the rows of a column may be moved.
#[must_use]
pub fn grants(column: &TextColumn, checked: &Result<(), Error>) -> Check {
    match checked {
        Ok(()) => Check::pass("grants", Side::Database, format!("{} may be read and updated", column.name)),
        Err(error) if error.is::<Failure>() => failed("grants", error),
        // The server refused the question, for a reason that other lines name.
        Err(error) => Check::warn(
            "grants",
            Side::Database,
            format!("unknown: {error}"),
            "mend what failed first, then run doctor again",
        ),
    }
}

/// Whether the ledger can be kept.
#[must_use]
pub fn ledger(schema: &str, missing: &Result<Option<MissingForLedger>, Error>) -> Check {
    let (name, side) = ("ledger", Side::Database);
    match missing {
        Ok(None) => Check::pass(name, side, format!("schema {schema} can be made and written")),
        Ok(Some(missing)) => {
            let advice = format!("run as an administrator of the database: {}", missing.statements);
            if missing.only_way_back {
                let found = format!("the user may not roll back by the ledger's schema {schema}");
                Check::warn(name, side, found, advice)
            } else {
                let found = format!("the user has not all privileges on the ledger's schema {schema}");
                Check::fail(name, side, found, advice)
            }
        }
        Err(error) => failed(name, error),
    }
}

/// Whether a run is at work.
#[must_use]
pub fn run_lock(asked: &Result<Option<Holder>, Error>) -> Check {
    let (name, side) = ("run lock", Side::Database);
    match asked {
        Ok(None) => Check::pass(name, side, "free"),
        Ok(Some(holder)) => {
            let found = format!("held by {holder}");
            Check::warn(name, side, found, "commands that write end with 5 until it is done")
        }
        Err(error) => failed(name, error),
    }
}

/// What the transaction will be like.
#[must_use]
pub fn forecast(weighed: &Result<DatabaseForecast, Error>) -> Check {
    let (name, side) = ("transaction", Side::Database);
    let forecast = match weighed {
        Ok(forecast) => forecast,
        Err(error) => return failed(name, error),
    };
    let found = forecast.largest().sentence();
    match (forecast.advice.is_empty(), forecast.is_too_large()) {
        (true, _) => Check::pass(name, side, found),
        (false, false) => Check::warn(name, side, found, forecast.advice.join("; ")),
        (false, true) => {
            let found = format!("{found}; more than max_binlog_cache_size");
            Check::fail(name, side, found, forecast.advice.join("; "))
        }
    }
}

/// Whether temporary files can be made.
#[must_use]
pub fn temporary_files(directory: &str, tried: &Result<(), Error>) -> Check {
    match tried {
        Ok(()) => Check::pass("temporary files", Side::Machine, format!("can be made in {directory}")),
        Err(error) => failed_on("temporary files", Side::Machine, error),
    }
}

/// Whether the AWS CLI is there, which `--method sync` runs; the version that it says, or why it did not start.
#[must_use]
pub fn aws_cli(asked: &Result<String, Error>) -> Check {
    match asked {
        Ok(version) => Check::pass("aws cli", Side::Machine, version.clone()),
        Err(error) => failed_on("aws cli", Side::Machine, error),
    }
}

fn failed(name: &'static str, error: &Error) -> Check {
    failed_on(name, Side::Database, error)
}

/// An error with the hint that it brings along.
fn failed_on(name: &'static str, side: Side, error: &Error) -> Check {
    let advice = match error.downcast_ref::<Failure>() {
        Some(failure) => failure.hint().to_owned(),
        None => "mend what the message names, then run doctor again".to_owned(),
    };
    Check::fail(name, side, format!("{error:#}"), advice)
}
