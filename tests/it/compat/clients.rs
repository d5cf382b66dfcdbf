//! Clients that others published.
