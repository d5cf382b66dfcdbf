//! Pages of SQLite's tables, read one by one and trusting none of their numbers.
//!
//! Source: "B-tree Pages" and "Record Format" in SQLite's description of its file format.

use super::{PAGE, be_u16, be_u32};

/// What a page says it is.
pub(super) enum SqlitePage {
    /// Rows, and how many cells cannot be read.
    Leaf(Vec<Option<Cell>>),
    /// The pages below it.
    Interior(Vec<u32>),
    /// A part of an index.
    Index,
    /// Anything else, such as the rest of a long row, or a damaged page.
    Other,
}

/// A row as it stands on its page.
#[derive(Debug)]
pub(super) struct Cell {
    pub id: i64,
    /// The length of the whole row.
    pub length: usize,
    /// Where on the page its beginning stands.
    pub at: usize,
    pub local: usize,
    /// The page on which it goes on; 0 where it does not.
    pub overflow: u32,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// The longest row that is believed: a body has 64 KiB at most, and a query string less.
const LONGEST: usize = 1 << 20;
const USABLE: usize = PAGE;

impl SqlitePage {
    /// Reads the page with a number.
    pub fn read(page: &[u8], number: u32) -> Self {
        let at = if number == 1 { 100 } else { 0 };
        let cells = usize::from(be_u16(page, at + 3));
        let pointers = |behind: usize| (0..cells).map(move |cell| at + behind + 2 * cell);
        match page[at] {
            0x0D if at + 8 + 2 * cells <= PAGE => {
                let cell = |pointer| Cell::read(page, usize::from(be_u16(page, pointer)));
                Self::Leaf(pointers(8).map(cell).collect())
            }
            0x05 if at + 12 + 2 * cells <= PAGE => {
                let child = |pointer| {
                    let cell = usize::from(be_u16(page, pointer));
                    (cell + 4 <= PAGE).then(|| be_u32(page, cell))
                };
                Self::Interior(pointers(12).filter_map(child).chain([be_u32(page, at + 8)]).collect())
            }
            0x02 | 0x0A => Self::Index,
            _ => Self::Other,
        }
    }
}

impl Cell {
    fn read(page: &[u8], at: usize) -> Option<Self> {
        let (length, first) = varint(page.get(at..)?)?;
        let (id, second) = varint(page.get(at + first..)?)?;
        let (length, at) = (usize::try_from(length).ok()?, at + first + second);
        if length > LONGEST {
            return None;
        }
        let (most, least) = (USABLE - 35, (USABLE - 12) * 32 / 255 - 23);
        let local = match least + length.saturating_sub(least) % (USABLE - 4) {
            _ if length <= most => length,
            local if local <= most => local,
            _ => least,
        };
        let overflow = if local < length { be_u32(page.get(at + local..at + local + 4)?, 0) } else { 0 };
        let fits = at + local <= PAGE && (overflow > 0 || local == length);
        fits.then_some(Self { id, length, at, local, overflow })
    }
}

/// The columns of a row; none where it is not one.
pub(super) fn columns(row: &[u8]) -> Option<Vec<Value>> {
    let (header, mut at) = varint(row)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= row.len())?;
    let (mut values, mut from) = (Vec::with_capacity(10), header);
    while at < header {
        let (kind, length) = varint(&row[at..header])?;
        at += length;
        let kind = u64::try_from(kind).ok()?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            // Nothing of the spool's is such a number.
            _ => return None,
        };
        let bytes = row.get(from..from.checked_add(length)?)?;
        from += length;
        values.push(match kind {
            0 => Value::Null,
            8 | 9 => Value::Integer(i64::from(kind == 9)),
            1..=6 => Value::Integer(integer(bytes)),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    (from == row.len()).then_some(values)
}

fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of 1 to 9 bytes, and how many.
fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut number: u64 = 0;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at == 8 {
            return Some(((number << 8 | u64::from(*byte)).cast_signed(), 9));
        }
        number = number << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((number.cast_signed(), at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_sqlite_writes_them() {
        let row = [6, 0, 1, 19, 16, 9, 0xFE, b'a', b'b', b'c', 1, 2];
        let values = [
            Value::Null,
            Value::Integer(-2),
            Value::Text("abc".into()),
            Value::Blob(vec![1, 2]),
            Value::Integer(1),
        ];
        assert_eq!(columns(&row).unwrap(), values);
    }

    #[test]
    fn what_is_no_row_is_none_and_no_panic() {
        for row in [&[][..], &[0xFF; 9], &[9, 1], &[3, 19, 1, b'a'], &[2, 10], &[2, 7, 0], &[2, 1, 1, 1]] {
            assert!(columns(row).is_none(), "{row:?}");
        }
        for filler in 0..=255 {
            for kind in [0x05, 0x0D] {
                let mut page = [filler; PAGE];
                (page[0], page[100]) = (kind, kind);
                for number in [1, 2] {
                    let read = SqlitePage::read(&page, number);
                    assert!(!matches!(read, SqlitePage::Index), "{filler}");
                }
            }
        }
    }
}
