//! The registry of metrics: a metric is registered once, changed through its handle, and rendered with all others.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

use super::{Family, Histogram, histogram::HistogramFamily};

/// Labels of a metric. Values must come from a bounded set: each combination is a time series.
pub type MetricLabels<'a> = &'a [(&'static str, &'a str)];

/// The metrics of one service; tests run several services in one process. Keep the handles that it returns: a lookup
/// takes locks. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Registry>);

struct Registry {
    recorder: PrometheusRecorder,
    histograms: Mutex<BTreeMap<&'static str, HistogramFamily>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        Self(Arc::new(Registry { recorder, histograms: Mutex::default() }))
    }
}

/// The origin of a metric, which the API requires and the exporter ignores.
const METADATA: Metadata<'static> = Metadata::new("dlr_receiver", Level::INFO, None);

impl Metrics {
    /// A counter. The same family and labels give the same counter.
    pub fn counter(&self, family: Family, labels: MetricLabels<'_>) -> Counter {
        self.0.recorder.describe_counter(family.name.into(), None, family.help.into());
        self.0.recorder.register_counter(&key(family, labels), &METADATA)
    }

    /// A gauge. The same family and labels give the same gauge.
    pub fn gauge(&self, family: Family, labels: MetricLabels<'_>) -> Gauge {
        self.0.recorder.describe_gauge(family.name.into(), None, family.help.into());
        self.0.recorder.register_gauge(&key(family, labels), &METADATA)
    }

    /// A histogram with a bucket up to each of `bounds`, which ascend, and one for greater values.
    #[must_use]
    pub fn histogram(&self, family: Family, labels: MetricLabels<'_>, bounds: &'static [f64]) -> Histogram {
        let quoted: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let quoted = quoted.join(",");
        let mut families = self.0.histograms.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = || HistogramFamily { family, members: Vec::new() };
        let members = &mut families.entry(family.name).or_insert_with(empty).members;
        if let Some((_, known)) = members.iter().find(|(labels, _)| *labels == quoted) {
            return known.clone();
        }
        let histogram = Histogram::new(bounds);
        members.push((quoted, histogram.clone()));
        histogram
    }

    /// Sets a gauge whose value is computed at the scrape, or never changes.
    pub fn set(&self, family: Family, labels: MetricLabels<'_>, value: f64) {
        self.gauge(family, labels).set(value);
    }

    /// Updates the gauges of this process (memory, open files, CPU time), under the names that Prometheus' clients use.
    pub fn measure_process(&self) {
        let process = metrics_process::Collector::default();
        metrics::with_local_recorder(&self.0.recorder, || {
            process.describe();
            process.collect();
        });
    }

    /// All metrics in Prometheus' text format, version 0.0.4, sorted by name.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.0.recorder.handle().render();
        for family in self.0.histograms.lock().unwrap_or_else(PoisonError::into_inner).values() {
            family.write(&mut text);
        }
        let mut families: Vec<_> = text.split_inclusive("\n\n").collect();
        families.sort_unstable();
        families.concat()
    }
}

/// A time as Prometheus represents it: seconds since the Unix epoch.
#[must_use]
pub fn unix_seconds(time: DateTime<Utc>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "to a microsecond for the next 200 years")]
    let micros = time.timestamp_micros() as f64;
    micros / 1e6
}

fn key(family: Family, labels: MetricLabels<'_>) -> Key {
    let labels = labels.iter().map(|&(name, value)| Label::new(name, value.to_owned()));
    Key::from_parts(family.name, labels.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_family_and_labels_are_the_same_metric() {
        let metrics = Metrics::default();
        let counted = Family { name: "counted_total", help: "Counted." };
        let timed = Family { name: "timed_seconds", help: "Timed." };
        for _ in 0..2 {
            metrics.counter(counted, &[("by", "word")]).increment(1);
            metrics.histogram(timed, &[], &[1.0]).record(0.5);
        }
        let text = metrics.render();
        assert!(text.starts_with("# HELP counted_total Counted.\n# TYPE counted_total counter\n"), "{text}");
        assert!(text.contains("counted_total{by=\"word\"} 2\n"), "{text}");
        assert!(text.contains("timed_seconds_bucket{le=\"1\"} 2\n"), "{text}");
        assert!(text.contains("timed_seconds_sum 1\ntimed_seconds_count 2\n"), "{text}");
    }
}
