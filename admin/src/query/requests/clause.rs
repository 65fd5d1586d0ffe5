//! A filter as clauses: what each demands of a row, and the index that leads to the rows that might do.

use entity::request_log::Column;
use sea_orm::{
    ColumnTrait, Condition, ExprTrait,
    sea_query::{Expr, Func, SimpleExpr},
};
use uuid::Uuid;

use super::{Filter, StatusClass, Text};
use crate::query::lists::holds;

/// One demand on a row.
pub struct Clause {
    /// The demand, written so that no index can serve it: which index is used is decided by [`super::search()`], not by the database.
    pub test: Condition,
    /// The demand as indexes serve it in the order of ids; several are disjoint parts of it. Empty where there is no such index.
    pub sources: Vec<Condition>,
    /// Whether the sources hold rows that the demand does not let pass.
    pub is_coarse: bool,
}

/// What a query must say for the index of failed requests by status to be used.
const FAILED: &str = "status >= 400";
/// The same for that of all failed requests. It is another expression, so that a search by status cannot be served by this index.
const ANY_FAILED: &str = "status - 0 >= 400";
/// As [`FAILED`], for the index of models that were not asked for by their own name.
const REDIRECTED: &str = "(requested_model IS NULL OR model <> requested_model)";

/// A filter's demands, its span of time left out.
pub fn clauses(filter: &Filter) -> Vec<Clause> {
    let numbers = [
        (Column::UserId, filter.user_id),
        (Column::KeyId, filter.key_id),
        (Column::ProviderId, filter.provider_id),
    ];
    let mut all: Vec<Clause> = numbers
        .into_iter()
        .filter_map(|(column, id)| Some(number(column, id?)))
        .collect();
    all.extend(filter.session_id.as_deref().map(session));
    all.extend(filter.model.as_deref().map(model));
    all.extend(filter.status.map(status));
    all.extend(filter.class.map(class));
    all.extend(filter.error_code.as_deref().map(error_code));
    all.extend(filter.text.as_ref().map(text));
    let plain = [
        filter.protocol.as_ref().map(|it| Column::Protocol.eq(it)),
        filter
            .endpoint
            .as_ref()
            .map(|it| contains(Column::Endpoint, it)),
        filter.client.map(|it| Column::Client.eq(it)),
        filter.is_stream.map(|it| Column::IsStream.eq(it)),
        filter.min_cost.map(|it| Column::CostNanoUsd.gte(it)),
        filter.max_cost.map(|it| Column::CostNanoUsd.lte(it)),
        filter.min_duration_ms.map(|it| Column::DurationMs.gte(it)),
        filter.max_duration_ms.map(|it| Column::DurationMs.lte(it)),
    ];
    all.extend(plain.into_iter().flatten().map(Clause::plain));
    all
}

// === impl Clause ===

impl Clause {
    fn plain(test: SimpleExpr) -> Self {
        Self {
            test: Condition::all().add(test),
            sources: Vec::new(),
            is_coarse: false,
        }
    }

    fn exact(test: SimpleExpr, source: SimpleExpr) -> Self {
        Self {
            sources: vec![Condition::all().add(source)],
            ..Self::plain(test)
        }
    }
}

fn number(column: Column, id: i64) -> Clause {
    Clause::exact(Expr::col(column).add(0_i64).eq(id), column.eq(id))
}

fn session(id: &str) -> Clause {
    Clause::exact(hidden(Column::SessionId).eq(id), Column::SessionId.eq(id))
}

/// As asked for or as sent on. Most are both, and then the row is in the first index alone.
fn model(name: &str) -> Clause {
    let test = hidden(Column::RequestedModel)
        .eq(name)
        .or(hidden(Column::Model).eq(name));
    let redirected = Condition::all()
        .add(Column::Model.eq(name))
        .add(Expr::cust(REDIRECTED));
    let asked = Condition::all().add(Column::RequestedModel.eq(name));
    Clause {
        sources: vec![asked, redirected],
        ..Clause::plain(test)
    }
}

fn status(status: i32) -> Clause {
    let test = Expr::col(Column::Status).add(0_i32).eq(status);
    if status < 400 {
        return Clause::plain(test);
    }
    let source = Column::Status.eq(status).and(Expr::cust(FAILED));
    Clause::exact(test, source)
}

fn class(class: StatusClass) -> Clause {
    let status = || Expr::col(Column::Status).add(0_i32);
    let test = match class {
        StatusClass::Success => return Clause::plain(status().lt(400)),
        StatusClass::ClientError => status().lt(500).and(status().gte(400)),
        StatusClass::ServerError => status().gte(500),
        StatusClass::Error => status().gte(400),
    };
    Clause {
        is_coarse: class != StatusClass::Error,
        ..Clause::exact(test, Expr::cust(ANY_FAILED))
    }
}

fn error_code(code: &str) -> Clause {
    Clause::exact(
        hidden(Column::ErrorCode).eq(code),
        Column::ErrorCode.eq(code),
    )
}

/// An id is found by its index; any other text is looked for in what the rows say of themselves.
fn text(wanted: &Text) -> Clause {
    if let Ok(id) = wanted.text.parse::<Uuid>() {
        let of_request = Condition::all().add(Column::Id.eq(id));
        let of_session = Condition::all().add(Column::SessionId.eq(&wanted.text));
        let test = Column::Id
            .eq(id)
            .or(hidden(Column::SessionId).eq(&wanted.text));
        return Clause {
            sources: vec![of_request, of_session],
            ..Clause::plain(test)
        };
    }
    let mut columns = vec![
        Column::Endpoint,
        Column::RequestedModel,
        Column::Model,
        Column::SessionId,
        Column::ErrorCode,
        Column::ClientIp,
        Column::UserAgent,
    ];
    columns.extend(wanted.in_messages.then_some(Column::ErrorMessage));
    let mut any = Condition::any();
    for column in columns {
        any = any.add(contains(column, &wanted.text));
    }
    Clause {
        test: any,
        sources: Vec::new(),
        is_coarse: false,
    }
}

fn contains(column: Column, text: &str) -> SimpleExpr {
    holds(Expr::col(column), &text.to_lowercase())
}

/// A text column as no index has it.
fn hidden(column: Column) -> SimpleExpr {
    SimpleExpr::from(Func::coalesce([Expr::col(column), Expr::val("")]))
}
