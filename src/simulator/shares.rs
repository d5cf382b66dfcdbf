//! The status codes and how often each of them occurs.
//!
//! May import nothing else of this crate.

/// Each code, and how many of 10,000 messages it is said of. Plausible rather than measured: most
/// messages arrive, some are only known to have reached the operator, DND and switched-off handsets
/// lead the failures, and every code comes up in a long run.
pub(super) const SHARES: [(i32, u32); 33] = [
    (20005, 7_570),
    (20006, 900),
    (21010, 15),
    (21015, 15),
    (21020, 40),
    (23005, 250),
    (23010, 90),
    (23015, 25),
    (23020, 40),
    (23030, 30),
    (23035, 300),
    (23040, 110),
    (23050, 150),
    (23060, 60),
    (23070, 20),
    (23072, 20),
    (23080, 20),
    (23081, 20),
    (23082, 60),
    (23083, 20),
    (23084, 15),
    (23181, 10),
    (23182, 15),
    (23183, 10),
    (23184, 10),
    (23185, 30),
    (23186, 10),
    (23281, 10),
    (24010, 15),
    (24105, 30),
    (24110, 30),
    (24120, 25),
    (24990, 35),
];

/// The codes that may precede the final one, in this order.
pub(super) const ON_THE_WAY: [i32; 3] = [21010, 21015, 21020];

/// Submitted to the operator: often followed by the handset's report.
pub(super) const AT_THE_OPERATOR: i32 = 20006;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StatusTable;

    #[test]
    fn every_code_of_exotels_table_has_a_share() {
        let codes: Vec<i32> = StatusTable::default().iter().map(|entry| entry.code).collect();
        assert_eq!(SHARES.map(|(code, _)| code).to_vec(), codes);
        assert!(SHARES.iter().all(|&(_, share)| share > 0));
        assert_eq!(SHARES.iter().map(|&(_, share)| share).sum::<u32>(), 10_000);
    }
}
