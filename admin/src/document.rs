//! The API's document: poem-openapi writes version 3.0 of the format, we serve 3.1.
//!
//! 3.1 because it can say which role an operation needs (role names in a security requirement) and because `nullable` is an
//! ordinary type there, which generated clients get right.

mod examples;

use serde_json::{Map, Value, json};

/// The document as served.
pub fn serve(document: &Value) -> Value {
    let mut served = document.clone();
    served["openapi"] = json!("3.1.0");
    served["components"]["securitySchemes"] = security_schemes();
    let closed = closed_schemas(document);
    if let Some(schemas) = served["components"]["schemas"].as_object_mut() {
        for name in closed {
            if let Some(schema) = schemas.get_mut(&name) {
                schema["additionalProperties"] = json!(false);
            }
        }
    }
    for operation in operations_mut(&mut served) {
        operation["security"] = roles(&operation["security"]);
        describe(&mut operation["responses"]);
    }
    convert_schemas(&mut served);
    examples::add(&mut served);
    served
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    document["paths"]
        .as_object_mut()
        .into_iter()
        .flatten()
        .filter_map(|(_, item)| item.as_object_mut())
        .flatten()
        .map(|(_, operation)| operation)
}

/// The format wants every response described; poem-openapi leaves a plain JSON answer without words. And it names the media
/// type with its charset, which many client generators do not take for JSON.
fn describe(responses: &mut Value) {
    let responses = responses.as_object_mut().into_iter().flatten();
    for (_, response) in responses {
        if response["description"] == "" {
            response["description"] = json!("Success.");
        }
        if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut)
            && let Some(media) = content.remove("application/json; charset=utf-8")
        {
            content.insert("application/json".into(), media);
        }
    }
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The admin token, or a client key. What a client key may do depends on its user's role and on `canLoginWebUi`.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Api-Key",
            "description": "As `bearer`, in a header of its own.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": crate::auth::COOKIE,
            "description": "The cookie of `POST /api/v1/auth/login`. Requests that change something also need the header `X-CSRF-Token`, whose value login and `GET /api/v1/auth/session` give.",
        },
    })
}

/// `{"bearer:admin": []}` to `{"bearer": ["admin"]}`.
fn roles(security: &Value) -> Value {
    let requirements = security.as_array().into_iter().flatten();
    requirements
        .filter_map(Value::as_object)
        .map(|requirement| {
            let named = requirement.keys().map(|name| match name.split_once(':') {
                Some((scheme, role)) => (scheme.to_owned(), json!([role])),
                None => (name.clone(), json!([])),
            });
            Value::Object(named.collect::<Map<_, _>>())
        })
        .collect()
}

/// Names of the objects a request body can reach: those are closed, an unknown field in them is a mistake.
fn closed_schemas(document: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let bodies = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, item)| item.as_object())
        .flatten()
        .map(|(_, operation)| &operation["requestBody"]);
    for body in bodies {
        collect(document, body, &mut names);
    }
    names.retain(|name| document["components"]["schemas"][name]["properties"].is_object());
    names
}

/// Every schema that `value` refers to, directly or not.
fn collect(document: &Value, value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(target) if key == "$ref" => {
                        let name = target.rsplit('/').next().unwrap_or_default().to_owned();
                        if !names.contains(&name) {
                            names.push(name.clone());
                            collect(document, &document["components"]["schemas"][&name], names);
                        }
                    }
                    _ => collect(document, value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|v| collect(document, v, names)),
        _ => {}
    }
}

/// Puts every schema in 3.1's words: a reference may have a description beside it, and null is a type.
fn convert_schemas(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            schema.values_mut().for_each(convert_schemas);
            let is_nullable = schema.remove("nullable") == Some(Value::Bool(true));
            match reference_of(schema) {
                Some(target) if is_nullable => {
                    let choices = json!([{ "$ref": target }, { "type": "null" }]);
                    schema.insert("anyOf".into(), choices);
                }
                Some(target) => {
                    schema.insert("$ref".into(), target);
                }
                None if is_nullable => make_nullable(schema),
                None => {}
            }
        }
        Value::Array(items) => items.iter_mut().for_each(convert_schemas),
        _ => {}
    }
}

/// Takes the reference out of an `allOf`, which is how 3.0 puts a description beside one.
fn reference_of(schema: &mut Map<String, Value>) -> Option<Value> {
    let parts = schema.get("allOf")?.as_array()?;
    let target = parts.iter().find_map(|part| part.get("$ref"))?.clone();
    schema.remove("allOf");
    Some(target)
}

fn make_nullable(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.remove("type") {
        schema.insert("type".into(), json!([kind, "null"]));
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.push(json!({ "type": "null" }));
    }
    if let Some(Value::Array(allowed)) = schema.get_mut("enum") {
        allowed.push(Value::Null);
    }
}
