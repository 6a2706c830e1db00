//! A client of the admin API, for the command line.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use token::secret::Secret;

use crate::command::Failure;
use crate::fetch;

/// Where the admin API is, and with which token. Without these options the file that
/// `tokenward dev` leaves in its data folder is read.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// URL of the admin API
    #[arg(
        long,
        value_name = "URL",
        env = "TOKENWARD_ADMIN_URL",
        hide_env_values = true,
        global = true
    )]
    admin: Option<String>,
    /// Access token for the admin API
    #[arg(
        long = "admin-token",
        value_name = "TOKEN",
        env = "TOKENWARD_ADMIN_TOKEN",
        hide_env_values = true,
        global = true
    )]
    token: Option<String>,
    /// Data folder of the running `tokenward dev`
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What `dev` leaves behind for the command line, readable by the owner alone.
#[derive(Serialize, Deserialize)]
pub(crate) struct Door {
    pub(crate) admin: String,
    pub(crate) admin_token: String,
}

/// A ready client.
pub(crate) struct AdminClient {
    base: String,
    token: Secret,
    runtime: tokio::runtime::Runtime,
}

// === impl Door ===

impl Door {
    /// The file's place in a data folder.
    pub(crate) fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("admin.json")
    }
}

// === impl Target ===

impl Target {
    /// Finds address and token.
    ///
    /// # Errors
    /// [`Failure`] says which option is missing.
    pub(crate) fn connect(&self) -> Result<AdminClient, Failure> {
        let door = self.door();
        let missing = |what: &str, option: &str| {
            Failure::new(format_args!(
                "{what} is not known: give {option}, or start `tokenward dev`"
            ))
        };
        let base = self.admin.clone().or_else(|| door.as_ref().map(|door| door.admin.clone()));
        let token = self.token.clone().or_else(|| door.map(|door| door.admin_token));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::new)?;
        Ok(AdminClient {
            base: base
                .ok_or_else(|| {
                    missing("the admin API's address", "--admin or TOKENWARD_ADMIN_URL")
                })?
                .trim_end_matches('/')
                .to_owned(),
            token: Secret::new(token.ok_or_else(|| {
                missing("the admin token", "--admin-token or TOKENWARD_ADMIN_TOKEN")
            })?),
            runtime,
        })
    }

    fn door(&self) -> Option<Door> {
        let folder = self.data_dir.clone().or_else(default_data_dir)?;
        let text = std::fs::read(Door::path(&folder)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// The platform's data folder for this program.
pub(crate) fn default_data_dir() -> Option<PathBuf> {
    use etcetera::BaseStrategy as _;
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.data_dir().join("tokenward"))
}

// === impl AdminClient ===

impl AdminClient {
    /// Reads `/api/v1{path}`.
    ///
    /// # Errors
    /// [`Failure`] with the problem details of the answer.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(&Method::GET, path, None)
    }

    /// Reads a list, page after page.
    ///
    /// # Errors
    /// [`Failure`] with the problem details of the answer.
    pub(crate) fn list(&self, path: &str, cursor: &str) -> Result<Vec<Value>, Failure> {
        let mut rows = Vec::new();
        let mut next = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = match &next {
                None => self.get(&format!("{path}{joint}limit=1000"))?,
                Some(at) => self.get(&format!("{path}{joint}limit=1000&{cursor}={at}"))?,
            };
            rows.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
            next = match page.get("next") {
                Some(Value::String(at)) => Some(at.clone()),
                Some(Value::Number(at)) => Some(at.to_string()),
                _ => return Ok(rows),
            };
        }
    }

    /// Sends `body` to `/api/v1{path}`; an empty answer is `null`.
    ///
    /// # Errors
    /// [`Failure`] with the problem details of the answer.
    pub(crate) fn call(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.base);
        let mut request = Request::builder()
            .method(method)
            .uri(&url)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(bytes)).map_err(|error| {
            Failure::new(format_args!("`{url}` or the token is not usable: {error}"))
        })?;
        let (status, bytes) = fetch::send(&self.runtime, request, &self.base)?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() { Ok(value) } else { Err(refusal(status, &value)) }
    }
}

fn refusal(status: StatusCode, problem: &Value) -> Failure {
    let part = |name: &str| problem.get(name).and_then(Value::as_str);
    let what = part("detail").or_else(|| part("title")).unwrap_or("no reason was given");
    Failure::new(format_args!("{what} ({status})"))
}
