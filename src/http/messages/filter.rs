//! Reads the filters of a question from its query string: the same for lists, exports and statistics.

use super::{
    filter_draft::FilterDraft,
    filter_params::{FILTERS, FilterParam},
    filter_schema::MOST_VALUES,
};
use crate::{
    http::{AppState, Problem},
    storage::MessageFilter,
};

/// Collects the filters of a query string.
#[derive(Default)]
pub(crate) struct FilterReader {
    draft: FilterDraft,
    /// How many values each filter has so far.
    values: [usize; FILTERS.len()],
}

impl FilterReader {
    /// Reads a query string. What is no filter but one of the question's `own` parameters goes to `take_own`.
    pub fn read(
        state: &AppState,
        pairs: &[(String, String)],
        own: &[&str],
        mut take_own: impl FnMut(&str, &str) -> Result<(), Problem>,
    ) -> Result<MessageFilter, Problem> {
        let mut reader = Self::default();
        for (name, value) in pairs {
            match FILTERS.iter().position(|filter| filter.name == name) {
                Some(at) => reader.take(at, value)?,
                None if own.contains(&name.as_str()) => take_own(name, value)?,
                None => {
                    let allowed: Vec<&str> =
                        FILTERS.iter().map(|filter| filter.name).chain(own.iter().copied()).collect();
                    return Err(Problem::unknown_parameter(name, &allowed));
                }
            }
        }
        reader.draft.finish(&state.accounts, state.clock.now())
    }

    /// Takes one value of a filter, which is named by its place.
    fn take(&mut self, at: usize, value: &str) -> Result<(), Problem> {
        let FilterParam { name, take, .. } = &FILTERS[at];
        self.values[at] += 1;
        if self.values[at] > MOST_VALUES {
            let fault = format!("has more than {MOST_VALUES} values; ask in parts");
            return Err(Problem::parameter(name, fault).with("max_values", MOST_VALUES));
        }
        if value.is_empty() || value.contains('\0') {
            return Err(Problem::parameter(name, "must neither be empty nor hold a NUL character"));
        }
        take(&mut self.draft, name, value)
    }
}
