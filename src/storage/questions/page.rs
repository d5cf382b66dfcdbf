//! Pages by keyset: a cursor names the last row that was seen, so rows may arrive meanwhile.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::domain::Time;

/// A place in a list: the time and the id of the last row seen. Opaque to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Microseconds since the Unix epoch; 0 where the list goes by id alone.
    pub(in crate::storage) micros: i64,
    /// The row's id.
    pub(in crate::storage) id: i64,
}

/// A text is no cursor of this list.
#[derive(Debug, thiserror::Error)]
#[error("this is no cursor of this list; take `next_cursor` of an earlier answer as it is")]
pub struct BadCursor;

/// The times that a cursor may hold, in microseconds since the Unix epoch: the years 1970 to 9999, which both databases and
/// `chrono` support. No receipt has another time.
const MICROS: std::ops::Range<i64> = 0..253_402_300_800_000_000;

impl Cursor {
    pub(in crate::storage) fn new(time: Time, id: i64) -> Self {
        Self { micros: time.timestamp_micros(), id }
    }

    /// The time of the row.
    pub(in crate::storage) fn time(self) -> Time {
        Time::from_timestamp_micros(self.micros).unwrap_or_default()
    }

    /// The cursor as text, for one list only.
    #[must_use]
    pub fn encode(self, list: &str) -> String {
        let place = self.place();
        let seal = seal(list, &place);
        BASE64_URL_SAFE_NO_PAD.encode([&place[..], &seal].concat())
    }

    /// Reads the text of a cursor of `list`.
    ///
    /// # Errors
    /// [`BadCursor`] where it was changed, belongs to another list, or names a place that no row has. The seal
    /// is no secret, so a cursor may be made up by the caller.
    pub fn decode(text: &str, list: &str) -> Result<Self, BadCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (micros, rest) = bytes.split_first_chunk::<8>().ok_or(BadCursor)?;
        let (id, sealed) = rest.split_first_chunk::<8>().ok_or(BadCursor)?;
        let cursor = Self { micros: i64::from_be_bytes(*micros), id: i64::from_be_bytes(*id) };
        let is_a_place = MICROS.contains(&cursor.micros) && cursor.id >= 0;
        if is_a_place && sealed == seal(list, &cursor.place()) { Ok(cursor) } else { Err(BadCursor) }
    }

    fn place(self) -> [u8; 16] {
        let mut place = [0; 16];
        place[..8].copy_from_slice(&self.micros.to_be_bytes());
        place[8..].copy_from_slice(&self.id.to_be_bytes());
        place
    }
}

/// A checksum that reveals typing errors and cursors of another list. It is no secret and no protection.
fn seal(list: &str, place: &[u8]) -> [u8; 8] {
    let digest = Sha256::new().chain_update(list).chain_update(place).finalize();
    *digest.first_chunk().expect("SHA-256 has 32 bytes")
}

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// The most items of the page.
    pub limit: u16,
    /// The page begins behind this position.
    pub after: Option<Cursor>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of rows. One more row than the limit was fetched: it shows whether there is a next page.
    pub(in crate::storage) fn cut(mut rows: Vec<T>, limit: u16, place: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(place);
        Self { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_a_changed_one_does_not() {
        let cursor = Cursor { micros: 1_700_000_000_000_000, id: 42 };
        let text = cursor.encode("rejected");
        assert_eq!(Cursor::decode(&text, "rejected").unwrap(), cursor);
        assert!(Cursor::decode(&text, "callbacks").is_err());
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == text || Cursor::decode(&changed, "rejected").is_err(), "{at}");
        }
        assert!(Cursor::decode("", "rejected").is_err() && Cursor::decode("ä", "rejected").is_err());
    }

    #[test]
    fn a_cursor_that_was_made_up_names_a_place_that_a_row_may_have() {
        let is_taken =
            |micros, id| Cursor::decode(&Cursor { micros, id }.encode("messages"), "messages").is_ok();
        assert!(is_taken(0, 0) && is_taken(MICROS.end - 1, i64::MAX));
        for (micros, id) in [(-1, 1), (i64::MIN, 1), (i64::MAX, 1), (MICROS.end, 1), (0, -1), (0, i64::MIN)] {
            assert!(!is_taken(micros, id), "{micros} {id}");
        }
    }
}
