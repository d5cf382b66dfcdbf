//! The schemas of filters in the API's description.

use utoipa::{
    PartialSchema,
    openapi::{
        RefOr,
        schema::{ArrayBuilder, ArrayItems, Schema},
    },
};

/// How many values a filter may have. Beyond it a statement comes near what the databases take.
pub(super) const MOST_VALUES: usize = 100;

/// One text.
pub(super) fn text() -> RefOr<Schema> {
    String::schema()
}

/// Any of several texts.
pub(super) fn texts() -> RefOr<Schema> {
    several(String::schema())
}

/// Any of several values.
pub(super) fn several(items: impl Into<ArrayItems>) -> RefOr<Schema> {
    ArrayBuilder::new().items(items).max_items(Some(MOST_VALUES)).into()
}
