//! The layer of environment variables, handed in by the caller: below the entry nothing reads the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::catalogue;
use super::layers::{Layer, Origin};
use super::nearest::nearest;
use super::setting::{Setting, Takes, VARIABLE_PREFIX};
use super::{Authority, ConfigError};

/// The variable that holds the password itself.
pub const PASSWORD_VARIABLE: &str = "AVATAR_MIGRATE_DATABASE_PASSWORD";

const TEMP_DIR_VARIABLE: &str = "TMPDIR";

/// Where the AWS CLI and other SDKs look for the authorities to verify S3 servers by; the SDK for Rust does not.
const S3_AUTHORITY_VARIABLE: &str = "AWS_CA_BUNDLE";

/// Where the AWS chain finds region and endpoint, the stronger variable first.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const ENDPOINT_VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// Where the tests of this program find their S3 server; no setting.
const TEST_SERVER_VARIABLE: &str = "AVATAR_MIGRATE_WEED";

/// What other variables of the tests begin with.
const TEST_PREFIX: &str = "AVATAR_MIGRATE_TEST_";

/// What the environment gives.
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) password: Option<SecretString>,
    /// The system's folder for temporary files, by the variable that Unix has for it.
    pub(super) temp_dir: Option<PathBuf>,
    pub(super) s3_authority: Option<Authority>,
    pub(super) aws: AwsVariables,
}

/// What of the AWS chain stands in variables, for what is printed without asking AWS.
#[derive(Default)]
pub(super) struct AwsVariables {
    pub(super) region: Option<String>,
    pub(super) endpoint_url: Option<String>,
    pub(super) authority: Option<PathBuf>,
}

/// Sorts the variables that belong to this program; an empty one counts as unset. Relative paths start from `directory`.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    directory: &Path,
) -> Result<Environment, ConfigError> {
    let variables: Vec<(OsString, OsString)> = variables.into_iter().collect();
    let mut environment = Environment {
        layer: Layer::default(),
        password: None,
        temp_dir: None,
        s3_authority: None,
        aws: AwsVariables {
            region: first_of(&variables, REGION_VARIABLES),
            endpoint_url: first_of(&variables, ENDPOINT_VARIABLES),
            authority: None,
        },
    };
    for (name, value) in variables {
        let name = name.to_string_lossy();
        if name == TEMP_DIR_VARIABLE && !value.is_empty() {
            environment.temp_dir = Some(PathBuf::from(value));
            continue;
        }
        if name == S3_AUTHORITY_VARIABLE && !value.is_empty() {
            let origin = Origin::Variable(name.into_owned());
            let file = directory.join(value);
            environment.s3_authority = Some(Authority::read(&file).map_err(|error| error.at(&origin))?);
            environment.aws.authority = Some(file);
            continue;
        }
        let of_tests = name == TEST_SERVER_VARIABLE || name.starts_with(TEST_PREFIX);
        if !name.starts_with(VARIABLE_PREFIX) || of_tests || value.is_empty() {
            continue;
        }
        let origin = Origin::Variable(name.clone().into_owned());
        let value = value.into_string().map_err(|_| ConfigError::new("is not valid UTF-8").at(&origin))?;
        if name == PASSWORD_VARIABLE {
            environment.password = Some(SecretString::from(value));
            continue;
        }
        let setting = settings().find(|setting| setting.variable() == name).ok_or_else(|| unknown(&name))?;
        let values = match setting.takes {
            Takes::List => value.split(',').map(|value| value.trim().to_owned()).collect(),
            Takes::Text | Takes::Number | Takes::Optional(_) | Takes::Choice(_) | Takes::Switch(_) | Takes::Count => {
                vec![value]
            }
        };
        environment.layer.insert(setting.name, values, origin);
    }
    Ok(environment)
}

/// The first of these that is set and not empty.
fn first_of(variables: &[(OsString, OsString)], names: [&str; 2]) -> Option<String> {
    let value = |name: &str| variables.iter().find(|(known, value)| known == name && !value.is_empty());
    names.into_iter().find_map(value).map(|(_, value)| value.to_string_lossy().into_owned())
}

/// The names of all variables that are settings, the password's included.
pub fn variables() -> impl Iterator<Item = String> {
    settings().map(Setting::variable).chain([PASSWORD_VARIABLE.to_owned()])
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    catalogue::all().chain([&catalogue::CONFIG])
}

fn unknown(name: &str) -> ConfigError {
    let likely = nearest(name, variables()).map(|known| format!("did you mean {known}?")).unwrap_or_default();
    ConfigError::new(format!("variable {name} is no setting of this program")).hint(likely)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer_of(name: &str, value: &str) -> Result<Environment, ConfigError> {
        read([(OsString::from(name), OsString::from(value))], Path::new("/"))
    }

    #[test]
    fn unknown_variables_are_named_with_the_nearest_known_one() {
        let cases = [
            ("AVATAR_MIGRATE_SORCE_BUCKET", "AVATAR_MIGRATE_SOURCE_BUCKET"),
            ("AVATAR_MIGRATE_DATABASE_PASSWRD", "AVATAR_MIGRATE_DATABASE_PASSWORD"),
            ("AVATAR_MIGRATE_CONFIGS", "AVATAR_MIGRATE_CONFIG"),
            ("AVATAR_MIGRATE_yes", "AVATAR_MIGRATE_YES"),
        ];
        for (name, known) in cases {
            let error = layer_of(name, "canary").err().expect(name);
            assert_eq!(error.message, format!("variable {name} is no setting of this program"));
            assert_eq!(error.hint, Some(format!("did you mean {known}?")));
        }
    }

    #[test]
    fn what_is_empty_or_not_ours_is_passed_over() {
        let names = ["PATH", "AVATAR_MIGRATE_WEED", "AVATAR_MIGRATE_TEST_ANY", "AVATAR_MIGRATION"];
        for (name, value) in names.map(|name| (name, "x")).into_iter().chain([("AVATAR_MIGRATE_YES", "")]) {
            let environment = layer_of(name, value).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(format!("{:?}", environment.layer), "{}", "{name}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let environment = layer_of("AVATAR_MIGRATE_LEGACY_PREFIX", "image/, /image/").expect("a layer");
        assert_eq!(environment.layer.text(&catalogue::LEGACY_PREFIX), Some("/image/"));
    }
}
