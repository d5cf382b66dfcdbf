//! dlr-receiver
pub mod domain;
pub mod exotel;
