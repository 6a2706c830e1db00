//! `/config`: which configuration is in force, and having it read again.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use token::time::Timestamp;
use utoipa::ToSchema;

use crate::Console;
use crate::access::{Administrator, Reader};
use crate::answer::{self, Answer};
use crate::change::{Change, Recorded};
use crate::configuration::{Applied, Configuration, Mistake, NotApplied};
use crate::problem::Problem;

/// The configuration that is in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConfigurationView {
    /// The file; `null` where the process was started without one.
    file: Option<String>,
    /// 1 from the start on, and one more with every change that was applied.
    version: u64,
    /// Since when this version is in force.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The last attempt to change it, if that was refused.
    refused: Option<RefusedView>,
}

/// A change that was refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why.
    mistakes: Vec<MistakeView>,
}

/// What is wrong with a configuration.
#[derive(Serialize, ToSchema)]
pub(crate) struct MistakeView {
    /// The configuration file.
    file: String,
    /// From 1, where it is known.
    line: Option<usize>,
    /// From 1, where it is known.
    column: Option<usize>,
    /// The option, such as `gateway.route[2].upstream`, where it is known.
    key: Option<String>,
    /// What is wrong, and how to mend it.
    reason: String,
}

/// What is in force now.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppliedView {
    /// Its version.
    version: u64,
    /// The options that have changed, or whose files have; none where all is as it was.
    changed: Vec<String>,
}

/// Why a configuration was refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedProblem {
    #[serde(flatten)]
    problem: Problem,
    /// What is wrong, one by one.
    mistakes: Vec<MistakeView>,
}

/// Show which configuration is in force.
#[utoipa::path(get, path = "/config", tag = "config",
    responses((status = 200, description = "What is in force", body = ConfigurationView),
        (status = 404, description = "Nobody holds one here", body = Problem)))]
pub(crate) async fn show(
    State(console): State<Console>,
    _: Reader,
) -> Result<Answer<ConfigurationView>, Problem> {
    let status = held(&console)?.status();
    let refused = status.refused.map(|refused| RefusedView {
        at: refused.at,
        mistakes: refused.mistakes.into_iter().map(view).collect(),
    });
    let (file, version, since) = (status.file, status.version, status.since);
    Ok(Answer(ConfigurationView { file, version, since, refused }))
}

/// Read the configuration again and apply it, whole or not at all.
#[utoipa::path(post, path = "/config/reload", tag = "config",
    responses((status = 200, description = "What has changed", body = AppliedView),
        (status = 404, description = "Nobody holds one here", body = Problem),
        (status = 409, description = "The process was started without a file", body = Problem),
        (status = 422, description = "It is wrong, or needs a restart: nothing has changed",
            body = RefusedProblem)))]
pub(crate) async fn reload(
    State(console): State<Console>,
    administrator: Administrator,
) -> Result<Recorded, Problem> {
    let reloaded = held(&console)?.reload().await;
    let at = console.authority.now();
    let (action, target, shown) = match reloaded {
        Ok(Applied { version, changed }) => {
            let target = format!("version {version}: {}", changed.join(", "));
            (
                "config.reload",
                target,
                answer::json(StatusCode::OK, &AppliedView { version, changed }),
            )
        }
        Err(NotApplied::Refused { mistakes, words }) => {
            ("config.refuse", words.clone(), refused(mistakes, words))
        }
        Err(NotApplied::NoFile) => {
            let words = "the process was started without a configuration file: there is nothing to read again";
            return Err(Problem::conflict(words));
        }
    };
    console.record(&administrator, Change { action, target: bounded(&target), at }, shown).await
}

fn held(console: &Console) -> Result<&dyn Configuration, Problem> {
    let words = "nobody holds a configuration in this process";
    let none = || Problem::new(StatusCode::NOT_FOUND, words);
    console.configuration.as_deref().ok_or_else(none)
}

fn refused(mistakes: Vec<Mistake>, words: String) -> Response {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &words);
    let mistakes = mistakes.into_iter().map(view).collect();
    let body = serde_json::to_vec(&RefusedProblem { problem, mistakes }).unwrap_or_default();
    let mut response = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, words).into_response();
    *response.body_mut() = Body::from(body);
    response
}

fn view(mistake: Mistake) -> MistakeView {
    let Mistake { file, line, column, key, reason } = mistake;
    MistakeView { file, line, column, key, reason }
}

/// The audit log is no place for a thousand mistakes.
fn bounded(text: &str) -> &str {
    let mut end = text.len().min(1000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
