//! The shapes in which Exotel sends callbacks.
//!
//! May import nothing else of this crate.

use rand::{rngs::SmallRng, seq::IndexedRandom};

/// How a callback is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
    /// A GET with a query string.
    Get,
    /// `multipart/form-data`.
    Multipart,
}

/// How many of 100 messages are reported in each.
pub(super) const SHAPES: [(Shape, u32); 4] =
    [(Shape::Form, 84), (Shape::Json, 8), (Shape::Get, 5), (Shape::Multipart, 3)];

impl Shape {
    /// Draws one; mostly a form.
    pub fn draw(rng: &mut SmallRng) -> Self {
        SHAPES.choose_weighted(rng, |&(_, share)| share).expect("the shares are positive").0
    }
}
