//! The sample API behind `tokenward dev`: orders, invoices and users, in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

mod data;

/// A member's name, and whether a value fits it.
type Member = (&'static str, fn(&Value) -> bool);

/// One collection, such as `orders`.
#[derive(Clone)]
struct Collection {
    name: &'static str,
    /// Members a new object must have, each with a value of the wanted type.
    required: &'static [Member],
    state: Arc<Mutex<Objects>>,
}

struct Objects {
    by_id: BTreeMap<u64, Map<String, Value>>,
    next: u64,
}

/// The names of the collections: paths `/{name}` and `/{name}/{id}`, scopes `{name}:read` and
/// `{name}:write`.
pub(crate) const COLLECTIONS: [&str; 3] = ["orders", "invoices", "users"];

/// What a new member of each collection must have.
const REQUIRED: [&[Member]; 3] = [
    &[("customer", is_text), ("total", is_amount)],
    &[("order_id", Value::is_u64), ("amount", is_amount)],
    &[("name", is_text), ("email", is_text)],
];

/// The API as a service.
pub(crate) fn router() -> Router {
    let mut router = Router::new();
    for (name, required) in COLLECTIONS.into_iter().zip(REQUIRED) {
        let by_id = data::seed(name);
        let next = by_id.keys().next_back().map_or(1, |last| last + 1);
        let state = Arc::new(Mutex::new(Objects { by_id, next }));
        let collection = Collection { name, required, state };
        let routes = Router::new()
            .route(&format!("/{name}"), get(list).post(create))
            .route(&format!("/{name}/{{id}}"), get(read).put(replace).patch(change).delete(remove))
            .with_state(collection);
        router = router.merge(routes);
    }
    router.fallback(|| async { problem(StatusCode::NOT_FOUND, "there is nothing at this path") })
}

async fn list(State(collection): State<Collection>) -> Response {
    let objects = collection.objects();
    Json(objects.by_id.values().cloned().collect::<Vec<_>>()).into_response()
}

async fn read(State(collection): State<Collection>, Path(id): Path<String>) -> Response {
    let objects = collection.objects();
    match id.parse().ok().and_then(|id: u64| objects.by_id.get(&id)) {
        Some(object) => Json(object).into_response(),
        None => problem(StatusCode::NOT_FOUND, "no object has this id"),
    }
}

async fn create(
    State(collection): State<Collection>,
    headers: HeaderMap,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Response {
    let mut object = match body {
        Ok(Json(object)) => object,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    if let Some(what) = collection.missing(&object) {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, &what);
    }
    let mut objects = collection.objects();
    let id = objects.next;
    objects.next += 1;
    object.insert("id".to_owned(), json!(id));
    if let Some(subject) = headers.get("tokenward-subject").and_then(|value| value.to_str().ok()) {
        object.insert("created_by".to_owned(), json!(subject));
    }
    objects.by_id.insert(id, object.clone());
    let location = format!("/{}/{id}", collection.name);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(object)).into_response()
}

async fn replace(
    State(collection): State<Collection>,
    Path(id): Path<String>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Response {
    let object = match body {
        Ok(Json(object)) => object,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    match collection.missing(&object) {
        Some(what) => problem(StatusCode::UNPROCESSABLE_ENTITY, &what),
        None => collection.write(&id, |held| *held = object),
    }
}

async fn change(
    State(collection): State<Collection>,
    Path(id): Path<String>,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(changes)) => collection.write(&id, |held| held.extend(changes)),
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

async fn remove(State(collection): State<Collection>, Path(id): Path<String>) -> Response {
    let removed = id.parse().ok().and_then(|id: u64| collection.objects().by_id.remove(&id));
    match removed {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => problem(StatusCode::NOT_FOUND, "no object has this id"),
    }
}

// === impl Collection ===

impl Collection {
    fn objects(&self) -> std::sync::MutexGuard<'_, Objects> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, object: &Map<String, Value>) -> Option<String> {
        let (member, _) =
            self.required.iter().find(|(member, fits)| !object.get(*member).is_some_and(fits))?;
        Some(format!("the member `{member}` is missing or has the wrong type"))
    }

    fn write(&self, id: &str, write: impl FnOnce(&mut Map<String, Value>)) -> Response {
        let mut objects = self.objects();
        let Some((id, held)) =
            id.parse().ok().and_then(|id: u64| Some((id, objects.by_id.get_mut(&id)?)))
        else {
            return problem(StatusCode::NOT_FOUND, "no object has this id");
        };
        write(held);
        held.insert("id".to_owned(), json!(id));
        Json(&*held).into_response()
    }
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_amount(value: &Value) -> bool {
    value.as_f64().is_some_and(|amount| amount >= 0.0)
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "status": status.as_u16(), "title": title, "detail": detail });
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
    response
}

#[cfg(test)]
mod tests;
