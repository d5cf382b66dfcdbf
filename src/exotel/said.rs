//! Details of a message that its outcome does not hold, but that answers of Exotel's API contain.

use crate::domain::{Field, RawField};

/// Texts that some callbacks carry. Where callbacks differ, the greatest in byte order is kept, as for every text of an outcome, so
/// that their order makes no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The sender, `<ExoPhone>/<SenderID>` or either of them.
    pub from: Option<String>,
    /// The text of the SMS.
    pub body: Option<String>,
    /// The direction, such as `outbound-api`.
    pub direction: Option<String>,
    /// The price.
    pub price: Option<String>,
    /// When Exotel took it, as written.
    pub date_created: Option<String>,
}

impl Said {
    /// Merges the fields of one callback.
    pub fn take_in(&mut self, fields: &[RawField]) {
        for field in fields {
            let is = |name| Field::is_spelling(&field.key, name);
            // The sender's own text stays as it is.
            let own = field.value.as_deref().filter(|text| !text.is_empty());
            match () {
                () if is("From") => raise(&mut self.from, field.text()),
                () if is("Body") => raise(&mut self.body, own),
                () if is("Direction") => raise(&mut self.direction, field.text()),
                () if is("Price") => raise(&mut self.price, field.text()),
                () if is("DateCreated") => raise(&mut self.date_created, field.text()),
                () => {}
            }
        }
    }

    /// The `SenderID` of `<ExoPhone>/<SenderID>`; where one stands alone, it has letters.
    #[must_use]
    pub fn sender_id(&self) -> Option<&str> {
        let from = self.from.as_deref()?;
        match from.rsplit_once('/') {
            Some((_, sender)) => Some(sender).filter(|sender| !sender.is_empty()),
            None => Some(from).filter(|from| from.contains(char::is_alphabetic)),
        }
    }
}

fn raise(mine: &mut Option<String>, theirs: Option<&str>) {
    if mine.as_deref() < theirs {
        *mine = theirs.map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(callbacks: &[&[(&str, &str)]]) -> Said {
        let mut said = Said::default();
        for callback in callbacks {
            let field = |&(key, value): &(&str, &str)| RawField::new(key.to_owned(), Some(value.into()));
            said.take_in(&callback.iter().map(field).collect::<Vec<_>>());
        }
        said
    }

    #[test]
    fn what_is_said_does_not_depend_on_the_order() {
        let a: &[_] = &[("From", "0114/WEBDEV"), ("body", " Hi "), ("date_created", "2025-01-15 10:30:00")];
        let b: &[_] = &[("FROM", "WEBDEV"), ("Body", ""), ("Price", "null"), ("Direction", "outbound-api")];
        let both = said(&[a, b]);
        assert_eq!(both, said(&[b, a, b]));
        assert_eq!((both.from.as_deref(), both.body.as_deref()), (Some("WEBDEV"), Some(" Hi ")));
        assert_eq!((both.price, both.direction.as_deref()), (None, Some("outbound-api")));
        assert_eq!(both.date_created.as_deref(), Some("2025-01-15 10:30:00"));
    }

    #[test]
    fn the_sender_id_is_told_from_the_exophone() {
        let of = |from| said(&[&[("From", from)]]).sender_id().map(str::to_owned);
        assert_eq!(of("0XXXXXX4890/WEBDEV").as_deref(), Some("WEBDEV"));
        assert_eq!(of("0114/650001").as_deref(), Some("650001"));
        assert_eq!(of("EXOTEL").as_deref(), Some("EXOTEL"));
        assert_eq!((of("08047101010"), of("0114/")), (None, None));
    }
}
