//! Histograms with fixed buckets. The exporter's own histograms keep every value until the next scrape, which takes
//! memory and allocations; the hot path of callbacks may cost neither.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Family;

/// A histogram with fixed buckets. Cheap to clone; clones share the counts.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Classes>);

#[derive(Debug)]
struct Classes {
    /// The upper bound of each bucket but the last, ascending.
    bounds: &'static [f64],
    /// The number of values in each bucket; the last one is for values above all bounds.
    counts: Box<[AtomicU64]>,
    /// The sum of all values in millionths, as an integer: there is no atomic addition of floating-point numbers.
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Classes { bounds, counts, sum: AtomicU64::new(0) }))
    }

    /// Counts a value, which must not be negative.
    pub fn record(&self, value: f64) {
        let Classes { bounds, counts, sum } = &*self.0;
        let class = bounds.iter().position(|&bound| value <= bound).unwrap_or(bounds.len());
        counts[class].fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        sum.fetch_add((value * 1e6).round() as u64, Ordering::Relaxed);
    }
}

/// All histograms of one family, each with its labels.
#[derive(Debug)]
pub(super) struct HistogramFamily {
    pub family: Family,
    /// Labels in the text format: `name="value"`, separated by commas.
    pub members: Vec<(String, Histogram)>,
}

impl HistogramFamily {
    /// Appends them to `text` in Prometheus' text format.
    pub fn write(&self, text: &mut String) {
        let Family { name, help } = self.family;
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        for (labels, Histogram(classes)) in &self.members {
            let comma = if labels.is_empty() { "" } else { "," };
            let mut count = 0;
            for (at, class) in classes.counts.iter().enumerate() {
                count += class.load(Ordering::Relaxed);
                let bound = classes.bounds.get(at).map_or("+Inf".to_owned(), ToString::to_string);
                let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
            }
            #[expect(clippy::cast_precision_loss, reason = "a sum of that size has no millionths")]
            let sum = classes.sum.load(Ordering::Relaxed) as f64 / 1e6;
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let _ = writeln!(text, "{name}_sum{labels} {sum}\n{name}_count{labels} {count}");
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let histogram = Histogram::new(&[0.5, 1.0]);
        for value in [0.0, 0.5, 0.75, 1.0, 7.25] {
            histogram.record(value);
        }
        let family = Family { name: "some_seconds", help: "Some." };
        let mut text = String::new();
        HistogramFamily { family, members: vec![("a=\"b\"".to_owned(), histogram)] }.write(&mut text);
        let expected = "# HELP some_seconds Some.\n# TYPE some_seconds histogram\n\
             some_seconds_bucket{a=\"b\",le=\"0.5\"} 2\n\
             some_seconds_bucket{a=\"b\",le=\"1\"} 4\n\
             some_seconds_bucket{a=\"b\",le=\"+Inf\"} 5\n\
             some_seconds_sum{a=\"b\"} 9.5\n\
             some_seconds_count{a=\"b\"} 5\n\n";
        assert_eq!(text, expected);
    }
}
