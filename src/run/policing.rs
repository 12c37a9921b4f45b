//! `policy`: asks the database which columns store paths, if it can be asked, and hands over the documents.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::config::{Config, Part, Phase, PolicyOptions};
use crate::database::{Database, Grants, TextColumn, check_names, references, survey, text_columns};
use crate::failure::Failure;
use crate::operate::policy::{Document, PolicySummary, only, policies};

/// What `policy` prints.
#[derive(Clone, Debug)]
pub enum Printed {
    /// Everything, with headings.
    All(PolicySummary),
    /// One document, bare.
    One(Document),
}

/// Runs `policy`. No bucket is asked, and nothing is written.
///
/// # Errors
/// [`Failure::Usage`] if the document that is wanted alone does not exist for that command.
pub async fn policy(config: &Config, options: &PolicyOptions) -> Result<Printed> {
    let (grants, references, asked) = grants(config).await;
    match (options.only, options.phase) {
        (Some(part), Some(phase)) => one(config, options, (phase, part), &grants).map(Printed::One),
        (_, _) => Ok(Printed::All(policies(config, options, &grants, (references, asked)))),
    }
}

fn one(config: &Config, options: &PolicyOptions, (phase, part): (Phase, Part), grants: &Grants) -> Result<Document> {
    let found = only(phase, config, options, part, grants);
    found.ok_or_else(|| {
        let message = format!("`{}` needs nothing of the kind `{}`", phase.word(), part.word());
        Failure::Usage { message, hint: "leave --only out to see what it needs".to_owned() }.into()
    })
}

/// The GRANTs with the columns that the database has, or with those that were named.
async fn grants(config: &Config) -> (Grants, Vec<String>, bool) {
    let asked = match config.database.is_known() {
        true => of_database(config).await,
        false => Err(anyhow!("--database-url is not given")),
    };
    match asked {
        Ok((grants, found)) => (grants, found.iter().map(|column| column.name.to_string()).collect(), true),
        Err(error) => {
            let reason = format!("{error:#}");
            tracing::warn!(%reason, "the database was not asked: users and columns are those of the settings");
            let named = config.references.iter().map(ToString::to_string).collect();
            (Grants::unseen(config, &config.references), named, false)
        }
    }
}

async fn of_database(config: &Config) -> Result<(Grants, Vec<TextColumn>)> {
    let connecting = tokio::time::timeout(PATIENCE, Database::connect(&config.database));
    let database = connecting.await.context("the database does not answer")??;
    let found = columns(&database, config).await;
    let found = found.map(|found| (Grants::of(&database, config, &found), found));
    database.close().await;
    found
}

/// Without a survey where the columns were named: it reads every table.
async fn columns(database: &Database, config: &Config) -> Result<Vec<TextColumn>> {
    if config.references.is_empty() {
        return Ok(references(config, &survey(database, config).await?));
    }
    let all = text_columns(database).await?;
    check_names(config, &all, database)?;
    Ok(all.into_iter().filter(|column| config.references.contains(&column.name)).collect())
}

/// How long a connection may take: a policy without columns is better than none.
const PATIENCE: Duration = Duration::from_secs(20);
