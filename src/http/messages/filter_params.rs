//! The filters of a question. Each is named here and nowhere else: the API's description shows this table, and `filter`
//! reads query strings by it.

use serde_json::{Value, json};
use utoipa::{
    IntoParams, PartialSchema,
    openapi::{
        Ref, RefOr, Required,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Schema,
    },
};

use super::{
    filter_draft::FilterDraft,
    filter_schema::{several, text, texts},
    filter_values::{account, age, code, label, status, word},
    time_bound::TimeBound,
};
use crate::{
    domain::Anomaly,
    http::{Problem, extract::once},
};

/// A filter.
pub(super) struct FilterParam {
    pub name: &'static str,
    /// For the API's description.
    description: &'static str,
    schema: fn() -> RefOr<Schema>,
    /// None where the name says enough.
    example: fn() -> Option<Value>,
    /// Takes one value, which is neither empty nor holds a NUL character.
    pub take: fn(&mut FilterDraft, &'static str, &str) -> Result<(), Problem>,
}

/// Which messages are asked for, for the API's description.
pub(crate) struct FilterParams;

/// All filters. Repeated values of one are alternatives.
pub(super) const FILTERS: [FilterParam; 15] = [
    FilterParam {
        name: "account",
        description: "Of these accounts.",
        schema: texts,
        example: || None,
        take: |draft, name, value| {
            draft.filter.accounts.push(account(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "to",
        description: "To these recipients, in any spelling of their numbers; or as Exotel wrote what is no number, such as a \
                      mask.",
        schema: texts,
        example: || Some(json!(["+919812345670"])),
        take: |draft, _, value| {
            draft.recipients.push(value.to_owned());
            Ok(())
        },
    },
    FilterParam {
        name: "outcome",
        description: "With these outcomes.",
        schema: || several(Ref::from_schema_name("Outcome")),
        example: || None,
        take: |draft, name, value| {
            draft.filter.outcomes.push(word(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "status",
        description: "With these statuses.",
        schema: || several(Ref::from_schema_name("Status")),
        example: || None,
        take: |draft, name, value| {
            draft.filter.statuses.push(status(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "code",
        description: "With these detailed status codes.",
        schema: || several(i32::schema()),
        example: || Some(json!([20005])),
        take: |draft, name, value| {
            draft.filter.codes.push(code(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "category",
        description: "With these causes.",
        schema: || several(Ref::from_schema_name("Category")),
        example: || None,
        take: |draft, name, value| {
            draft.filter.categories.push(word(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "retry",
        description: "With this advice.",
        schema: || several(Ref::from_schema_name("Retry")),
        example: || None,
        take: |draft, name, value| {
            draft.filter.retries.push(word(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "label",
        description: "With these labels, as NAME:VALUE. Labels of different names must all be there.",
        schema: texts,
        example: || Some(json!(["campaign_id:diwali"])),
        take: |draft, name, value| {
            let (key, value) = label(name, value)?;
            draft.filter.labels.entry(key).or_default().push(value);
            Ok(())
        },
    },
    FilterParam {
        name: "anomaly",
        description: "With any of these anomalies.",
        schema: texts,
        example: || Some(json!(["unknown_code"])),
        take: |draft, name, value| {
            draft.filter.anomalies.insert(word::<Anomaly>(name, value)?);
            Ok(())
        },
    },
    FilterParam {
        name: "custom_field",
        description: "With these texts of the sender's own.",
        schema: texts,
        example: || None,
        take: |draft, _, value| {
            draft.filter.custom_fields.push(value.to_owned());
            Ok(())
        },
    },
    FilterParam {
        name: "received_from",
        description: "First received at this time or later: as RFC 3339 writes it; or without an offset, or as a date, which \
                      is its midnight, by the clock of the accounts that are asked for. These must then have one time zone.",
        schema: text,
        example: || Some(json!("2026-11-21T18:30:00+05:30")),
        take: |draft, name, value| once(&mut draft.received.from, name, TimeBound::read(name, value)?),
    },
    FilterParam {
        name: "received_to",
        description: "First received before this time. A date is its first moment, and itself left out.",
        schema: text,
        example: || Some(json!("2026-11-22")),
        take: |draft, name, value| once(&mut draft.received.to, name, TimeBound::read(name, value)?),
    },
    FilterParam {
        name: "sent_from",
        description: "Sent at this time or later.",
        schema: text,
        example: || Some(json!("2026-11-21 18:30")),
        take: |draft, name, value| once(&mut draft.sent.from, name, TimeBound::read(name, value)?),
    },
    FilterParam {
        name: "sent_to",
        description: "Sent before this time.",
        schema: text,
        example: || Some(json!("2026-11-22T18:30:00Z")),
        take: |draft, name, value| once(&mut draft.sent.to, name, TimeBound::read(name, value)?),
    },
    FilterParam {
        name: "older_than",
        description: "First received longer ago than this.",
        schema: text,
        example: || Some(json!("90m")),
        take: |draft, name, value| once(&mut draft.older_than, name, age(name, value)?),
    },
];

impl IntoParams for FilterParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let described = |filter: &FilterParam| {
            let parameter = ParameterBuilder::new().name(filter.name).parameter_in(ParameterIn::Query);
            let parameter = parameter.description(Some(filter.description)).required(Required::False);
            parameter.schema(Some((filter.schema)())).example((filter.example)()).build()
        };
        FILTERS.iter().map(described).collect()
    }
}
