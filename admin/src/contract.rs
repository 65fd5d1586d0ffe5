//! The document as a contract: which operations there are, who may call them, and what their input must look like.
//!
//! The API's document is generated from the handlers' types; here it is read back and enforced. What is documented is what is
//! checked, so the two cannot drift apart, and an address the document does not know is refused before anything runs.

mod schema;

use serde_json::Value;

use crate::{problem::Mistake, service::idempotency::HEADER};

/// The operations of a document.
pub struct Contract {
    document: Value,
    operations: Vec<Operation>,
}

/// One operation.
pub struct Operation {
    /// Upper-case method.
    pub method: String,
    /// Who may call it.
    pub need: Need,
    /// It knows the header `Idempotency-Key`.
    pub is_once: bool,
    segments: Vec<Segment>,
    parameters: Vec<Parameter>,
    body: Option<Value>,
}

/// Who may call an operation. An operation that declares nothing is the admin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Anybody: health and login, and nothing else.
    Nothing,
    /// Any key that works.
    Key,
    /// A key that may log in to the dashboard.
    User,
    /// An admin.
    Admin,
}

/// What a method and a path lead to.
pub enum Found<'a> {
    /// An operation.
    Operation(&'a Operation),
    /// The path is known with these methods.
    OtherMethods(Vec<&'a str>),
    /// Nothing.
    Nothing,
}

enum Segment {
    Literal(String),
    Parameter(String),
}

struct Parameter {
    name: String,
    in_path: bool,
    required: bool,
    schema: Value,
}

// === impl Contract ===

impl Contract {
    /// Reads a document as poem-openapi writes it. `public` lists the operation ids anybody may call.
    pub fn new(document: Value, public: &[&str]) -> Self {
        let mut operations: Vec<_> = entries(&document["paths"])
            .flat_map(|(path, item)| {
                entries(item).map(move |(method, operation)| {
                    Operation::read(path, method, operation, public)
                })
            })
            .collect();
        operations.sort_by_key(|o| o.segments.iter().filter(|s| s.name().is_some()).count());
        Self {
            document,
            operations,
        }
    }

    /// What `method` and `path` lead to.
    pub fn find(&self, method: &str, path: &str) -> Found<'_> {
        let mut others = Vec::new();
        for operation in self.operations.iter().filter(|o| o.is_at(path)) {
            if operation.method == method {
                return Found::Operation(operation);
            }
            others.push(operation.method.as_str());
        }
        if others.is_empty() {
            Found::Nothing
        } else {
            Found::OtherMethods(others)
        }
    }

    /// Every mistake in an operation's path and query parameters.
    pub fn check_parameters(
        &self,
        operation: &Operation,
        path: &str,
        query: &[(String, String)],
    ) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        for (segment, text) in operation.segments.iter().zip(split(path)) {
            if let Some(name) = segment.name() {
                self.check_parameter(operation, true, name, text, &mut mistakes);
            }
        }
        for (i, (name, text)) in query.iter().enumerate() {
            if query[..i].iter().any(|(earlier, _)| earlier == name) {
                mistakes.push(Mistake::new(name, "repeated", "is given twice"));
            } else {
                self.check_parameter(operation, false, name, text, &mut mistakes);
            }
        }
        for p in &operation.parameters {
            if p.required && !p.in_path && !query.iter().any(|(name, _)| *name == p.name) {
                mistakes.push(Mistake::new(&p.name, "required", "is required"));
            }
        }
        mistakes
    }

    /// Every mistake in an operation's body.
    pub fn check_body(&self, operation: &Operation, body: &Value) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if let Some(schema) = &operation.body {
            schema::check(&self.document, schema, body, "", &mut mistakes);
        }
        mistakes
    }

    fn check_parameter(
        &self,
        operation: &Operation,
        in_path: bool,
        name: &str,
        text: &str,
        mistakes: &mut Vec<Mistake>,
    ) {
        let known = operation
            .parameters
            .iter()
            .find(|p| p.in_path == in_path && p.name == name);
        match known {
            Some(p) => {
                let value = schema::from_text(&self.document, &p.schema, text);
                schema::check(&self.document, &p.schema, &value, name, mistakes);
            }
            None => mistakes.push(Mistake::new(
                name,
                "unknown_parameter",
                "is not a parameter of this operation",
            )),
        }
    }
}

// === impl Operation ===

impl Operation {
    fn read(path: &str, method: &str, operation: &Value, public: &[&str]) -> Self {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let declared = operation["security"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(entries)
            .find_map(|(name, _)| Need::from_scheme(name));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        Self {
            method: method.to_ascii_uppercase(),
            need: match declared {
                Some(need) => need,
                None if public.contains(&id) => Need::Nothing,
                None => Need::Admin,
            },
            is_once: parameters.clone().any(|p| p["name"] == HEADER),
            segments: split(path).map(Segment::read).collect(),
            parameters: parameters.filter_map(Parameter::read).collect(),
            body: entries(&operation["requestBody"]["content"])
                .map(|(_, media)| media["schema"].clone())
                .next(),
        }
    }

    fn is_at(&self, path: &str) -> bool {
        split(path).count() == self.segments.len()
            && self
                .segments
                .iter()
                .zip(split(path))
                .all(|(s, text)| match s {
                    Segment::Literal(literal) => literal == text,
                    Segment::Parameter(_) => !text.is_empty(),
                })
    }
}

// === impl Need ===

impl Need {
    /// The role's name as the document has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nobody",
            Self::Key => "key",
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// Reads it from a security requirement's name, such as `bearer:admin`: see `auth::guard`.
    fn from_scheme(scheme: &str) -> Option<Self> {
        let (_, role) = scheme.split_once(':')?;
        [Self::Key, Self::User, Self::Admin]
            .into_iter()
            .find(|need| need.name() == role)
    }
}

// === impl Segment, Parameter ===

impl Segment {
    fn read(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Parameter(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

impl Parameter {
    /// Path and query parameters; headers are the handlers' own matter.
    fn read(parameter: &Value) -> Option<Self> {
        let in_path = match parameter["in"].as_str()? {
            "path" => true,
            "query" => false,
            _ => return None,
        };
        Some(Self {
            name: parameter["name"].as_str()?.to_owned(),
            in_path,
            required: parameter["required"].as_bool().unwrap_or(false),
            schema: parameter["schema"].clone(),
        })
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}
