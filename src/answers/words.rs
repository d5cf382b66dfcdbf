//! The words of `domain`'s enums, as the API's description shows them.

use std::borrow::Cow;

use strum::VariantArray;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::domain::{Category, ConfirmedBy, Outcome, Retry, Source, Status};

/// Describes an enum of `domain` by its words.
macro_rules! words {
    ($($name:ident: $words:ident, $description:literal;)*) => {$(
        #[doc = $description]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = $words::VARIANTS.iter().map(|&word| <&str>::from(word));
                let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
                schema.description(Some($description)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($words).into()
            }
        }
    )*};
}

words! {
    OutcomeWord: Outcome, "What became of the message.";
    CategoryWord: Category, "Where the cause of the outcome lies.";
    RetryWord: Retry, "What the sender should do about it.";
    ConfirmedByWord: ConfirmedBy, "Who confirmed a delivery.";
    StatusWord: Status, "A status in its canonical spelling. Source: Exotel's reference of SMS details.";
    SourceWord: Source, "Who says what a receipt says.";
}
