//! Policies and GRANTs under headings, for a person; one document alone, for a pipe.

use console::Style;
use serde::Serialize;

use super::{Document, PRINCIPAL, PhasePolicy, PolicySummary};
use crate::report::human::Paint;
use crate::report::text::printable;

/// Every document under a heading that says whom it is for. What is no JSON and no SQL begins with `#` or `--`.
#[must_use]
pub fn policy_text(summary: &PolicySummary, paint: Paint) -> String {
    let mut text = head(summary);
    for phase in &summary.phases {
        text.push_str(&of_phase(phase, paint, shows_owners(summary)));
    }
    text.push('\n');
    text.extend(notes(summary).iter().map(|note| format!("# {note}\n")));
    text
}

/// One document as it stands; SQL with its semicolons.
#[must_use]
pub fn document_text(document: &Document) -> String {
    match document {
        Document::Json(policy) => json(policy),
        Document::Sql(statements) => sql(statements),
    }
}

fn head(summary: &PolicySummary) -> String {
    let named = printable(&summary.references.join(", "));
    let columns = match (summary.references.is_empty(), summary.asked_database) {
        (false, true) => format!("columns that store paths: {named}"),
        (false, false) => format!(
            "columns by --reference: {named}; add those with ON UPDATE CURRENT_TIMESTAMP of the same tables to UPDATE (…)"
        ),
        (true, true) => "no column holds a path yet: the GRANTs that name columns are left out".to_owned(),
        (true, false) => {
            "the database was not asked: the GRANTs that name columns are left out, unless --reference names them"
                .to_owned()
        }
    };
    format!("# {columns}\n")
}

fn of_phase(phase: &PhasePolicy, paint: Paint, owners: bool) -> String {
    let bold = Style::new().bold().force_styling(paint == Paint::Colored);
    let mut text = format!("\n{}\n", bold.apply_to(format!("=== {} ===", phase.phase)));
    let mut block = |title: String, document: String| text.push_str(&format!("\n# {title}\n{document}"));
    for identity in &phase.iam {
        let whose = match identity.reaches {
            "source" => "the identity of the legacy bucket",
            "target" => "the identity of the production bucket",
            _ => "the one identity for both buckets",
        };
        block(format!("IAM policy of {whose}"), json(&identity.policy));
    }
    for bucket in phase.buckets.iter().filter(|_| owners) {
        let name = printable(&bucket.bucket);
        block(format!("only if the bucket {name} is another account's: its bucket policy"), json(&bucket.policy));
    }
    for key in phase.keys.iter().filter(|_| owners) {
        let whose = if key.side == "source" { "legacy" } else { "production" };
        let title = format!("only if KMS encrypts the {whose} bucket: a statement for the policy of its key");
        block(title, json(&key.statement));
    }
    text.push_str("\n-- MariaDB\n");
    text.push_str(&sql(&phase.grants));
    text
}

/// Whether what the owners of buckets and keys have to allow is shown: not for all commands at once, where nobody asked.
fn shows_owners(summary: &PolicySummary) -> bool {
    summary.phases.len() == 1 || summary.principal != PRINCIPAL
}

fn notes(summary: &PolicySummary) -> Vec<String> {
    let mut notes = Vec::new();
    if !summary.asked_database {
        notes.push(format!("{} is to be replaced: HOST, and other words in capitals", printable(&summary.account)));
    }
    if !shows_owners(summary) {
        notes
            .push("policies of buckets and KMS keys, where others own them: give --for, or --principal ARN".to_owned());
        return notes;
    }
    if summary.principal == PRINCIPAL {
        notes.push(format!("{PRINCIPAL} is to be replaced: give --principal"));
    }
    let lasting = [
        "an identity of another account than the key's needs the kms: actions in its IAM policy, too,",
        "with the key's ARN as the Resource and without the Principal",
        "servers other than AWS may not know s3:if-match: leave that Condition out there",
    ];
    notes.extend(lasting.map(str::to_owned));
    notes
}

fn json(document: &impl Serialize) -> String {
    // Made of texts alone, which always are JSON.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

fn sql(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}
